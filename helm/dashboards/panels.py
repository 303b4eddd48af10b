"""The few kinds of panels, each with its unit, legend and description."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from helm.dashboards.frame import PROMETHEUS

GREEN, YELLOW, RED, GREY = "green", "orange", "red", "text"
Steps = Mapping[float, str]
"""Colours by the value from which on they hold; below the first one the panel is green."""

READY: list[ValueMapping] = [
    ValueMap(
        options={
            "0": ValueMappingResult(text="not Ready", color=RED, index=0),
            "1": ValueMappingResult(text="Ready", color=GREEN, index=1),
        }
    )
]


def query(expr: str, legend: str = "") -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expr).legend_format(legend).range().datasource(PROMETHEUS)


def now(expr: str, legend: str = "") -> prometheus.Dataquery:
    """The latest value alone."""
    return prometheus.Dataquery().expr(expr).legend_format(legend).instant().datasource(PROMETHEUS)


def rows(ref: str, expr: str) -> prometheus.Dataquery:
    """The latest values as rows of a table."""
    return now(expr).ref_id(ref).format(PromQueryFormat.TABLE)


def number(title: str, description: str, expr: str, unit: str, steps: Steps, span: int = 3) -> stat.Panel:
    """One large number, with its way there behind it."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(query(expr))
        .unit(unit)
        .thresholds(thresholds(steps))
        .color_scheme(build.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("none")
        .span(span)
        .height(4)
    )


def word(title: str, description: str, expr: str, legend: str, span: int = 3) -> stat.Panel:
    """The name of the series that there is now, red while its value is 0."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(now(expr, legend))
        .thresholds(thresholds({0: RED, 1: GREEN}))
        .color_mode(BigValueColorMode.BACKGROUND)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("none")
        .span(span)
        .height(4)
    )


def lines(
    title: str, description: str, targets: Sequence[prometheus.Dataquery], unit: str, span: int = 12
) -> timeseries.Panel:
    """Values over time, with the last and the largest in the legend."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .fill_opacity(10)
        .line_width(1)
        .legend(legend_with("lastNotNull", "max"))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .span(span)
        .height(8)
    )
    for target in targets:
        panel.with_target(target)
    return panel


def stacked(
    title: str, description: str, targets: Sequence[prometheus.Dataquery], unit: str, span: int = 12
) -> timeseries.Panel:
    """Parts of a whole, one upon the other."""
    return (
        lines(title, description, targets, unit, span)
        .fill_opacity(40)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    )


def bars(
    title: str, description: str, targets: Sequence[prometheus.Dataquery], unit: str, span: int = 12
) -> timeseries.Panel:
    """What happened in each interval, with its total in the legend."""
    return (
        stacked(title, description, targets, unit, span)
        .draw_style(GraphDrawStyle.BARS)
        .fill_opacity(80)
        .legend(legend_with("sum"))
    )


def states(title: str, description: str, target: prometheus.Dataquery, span: int = 24) -> statetimeline.Panel:
    """Which series there was when, green while its value was 1."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(target)
        .mappings(READY)
        .thresholds(thresholds({0: RED, 1: GREEN}))
        .legend(common.VizLegendOptions().show_legend(show_legend=False))
        .span(span)
        .height(7)
    )


def thresholds(steps: Steps) -> build.ThresholdsConfig:
    first = Threshold(value=None, color=GREEN)
    given = [first, *(Threshold(value=value, color=color) for value, color in steps.items())]
    return build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(given)


def legend_with(*calculations: str) -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .calcs(list(calculations))
    )
