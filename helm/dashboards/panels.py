"""The few kinds of panels, each with its unit, legend and description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeVar

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
    VisibilityMode,
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

from helm.dashboards.colours import GREEN, REASONS, RED, TEXT, Colours, coloured
from helm.dashboards.frame import PROMETHEUS

Steps = Mapping[float, str]
"""Colours by the value from which on they hold; below the first one the panel is green."""
NEUTRAL: Steps = {-inf: TEXT}
"""Neither good nor bad."""


@dataclass(frozen=True)
class Unit:
    """`name` is Grafana's; without `decimals` there are as many as the value needs.

    An axis reaches up to `room` at least: one of nothing but zeros would go up to a hundred, or to 10,000 %.
    """

    name: str
    decimals: int | None = None
    room: float | None = None


WHOLE = Unit("locale", decimals=0, room=1)
"""Contacts, runs and whatever else there is no half of: 1,234."""
SECONDS, REQUESTS, SHARE = Unit("s"), Unit("reqps"), Unit("percentunit", room=0.1)
AGO = Unit("dateTimeFromNow")
"""Of a time in milliseconds: 2 hours ago, in 5 minutes."""

# The least that a bar stands for: in a graph of a day a narrower one is hardly seen.
INTERVAL = "5m"

READY: list[ValueMapping] = [
    ValueMap(
        options={
            "0": ValueMappingResult(text="not Ready", color=RED, index=0),
            "1": ValueMappingResult(text="Ready", color=GREEN, index=1),
        }
    )
]
YES: list[ValueMapping] = [
    ValueMap(options={"0": ValueMappingResult(text="no", index=0), "1": ValueMappingResult(text="yes", index=1)})
]
READY_IN_WORDS: list[ValueMapping] = [
    ValueMap(
        options={"0": ValueMappingResult(text="not Ready", index=0), "1": ValueMappingResult(text="Ready", index=1)}
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


def each_interval(counter: str, by: str) -> str:
    """How much a counter rose in each interval, to the unit.

    `increase` estimates, and knows nothing of a series' first value: of the first contacts that Engage refused. A
    series that begins, or begins anew, counts whole where the operator was seen an interval earlier.
    """
    rose = f"{counter} - {counter} offset $__interval >= 0"
    began = f"{counter} and on () voyado_operator_build_info offset $__interval"
    return f"sum by ({by}) ({rose} or {began})"


def number(title: str, description: str, expr: str, unit: Unit, steps: Steps, span: int = 6) -> stat.Panel:
    """One large number: what is, now. The latest of a series that has ended would be no answer."""
    return _large(title, description, now(expr), unit, steps, span)


def last_known(title: str, description: str, expr: str, unit: Unit, steps: Steps, span: int = 6) -> stat.Panel:
    """The same of the latest time at which there was something to measure."""
    return _large(title, description, query(expr), unit, steps, span)


def _large(
    title: str, description: str, target: prometheus.Dataquery, unit: Unit, steps: Steps, span: int
) -> stat.Panel:
    panel = _tile(title, description, target, steps, span).color_mode(BigValueColorMode.VALUE)
    return with_unit(panel.color_scheme(build.FieldColor().mode(FieldColorModeId.THRESHOLDS)), unit)


def verdict(title: str, description: str, target: prometheus.Dataquery, span: int = 6) -> stat.Panel:
    """Ready or not, now."""
    panel = _tile(title, description, target, {0: RED, 1: GREEN}, span).color_mode(BigValueColorMode.BACKGROUND)
    return panel.mappings(READY).text_mode(BigValueTextMode.VALUE)


def _tile(title: str, description: str, target: prometheus.Dataquery, steps: Steps, span: int) -> stat.Panel:
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .with_target(target)
        .thresholds(thresholds(steps))
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("none")
        .span(span)
        .height(3)
    )


def reason(title: str, description: str, expr: str) -> stat.Panel:
    """The name of the reason that there is now, in its colour."""
    panel = verdict(title, description, now(expr, "{{reason}}")).mappings([]).text_mode(BigValueTextMode.NAME)
    return coloured(panel, REASONS)


def lines(
    title: str, description: str, targets: Sequence[prometheus.Dataquery], unit: Unit, span: int = 12
) -> timeseries.Panel:
    """Up to two values over time, with the last and the largest in the legend below."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
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
    if unit.room is not None:
        panel.axis_soft_max(unit.room)
    return with_unit(panel, unit)


def many(
    title: str, description: str, targets: Sequence[prometheus.Dataquery], unit: Unit, span: int = 12
) -> timeseries.Panel:
    """More values over time than there is room for below."""
    return lines(title, description, targets, unit, span).legend(beside(legend_with("lastNotNull", "max")))


def sparse(panel: timeseries.Panel) -> timeseries.Panel:
    """The same panel with points, for what is measured now and then: of a value between two gaps no line is seen."""
    return panel.show_points(VisibilityMode.ALWAYS).point_size(4).fill_opacity(0)


def stacked(
    title: str, description: str, target: prometheus.Dataquery, unit: Unit, colours: Colours, span: int = 12
) -> timeseries.Panel:
    """Parts of a whole, one upon the other, without a line: that of a part that is 0 would frame those below it."""
    panel = many(title, description, [target], unit, span).line_width(0).fill_opacity(60)
    return coloured(panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)), colours)


def bars(
    title: str, description: str, target: prometheus.Dataquery, unit: Unit, colours: Colours, span: int = 12
) -> timeseries.Panel:
    """What happened in each interval, with its total in the legend."""
    return (
        stacked(title, description, target, unit, colours, span)
        .interval(INTERVAL)
        .draw_style(GraphDrawStyle.BARS)
        .fill_opacity(80)
        .legend(beside(legend_with("sum")))
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


def reasons(title: str, description: str, expr: str) -> statetimeline.Panel:
    """Which reason there was when, each in its colour."""
    return coloured(states(title, description, query(expr, "{{reason}}")).mappings(READY_IN_WORDS), REASONS)


def thresholds(steps: Steps) -> build.ThresholdsConfig:
    colours = {-inf: GREEN} | dict(steps)
    given = [Threshold(value=None if value == -inf else value, color=colour) for value, colour in colours.items()]
    return build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(given)


def legend_with(*calculations: str) -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .calcs(list(calculations))
    )


def beside(legend: common.VizLegendOptions) -> common.VizLegendOptions:
    """Below a panel there is room for two rows of a table."""
    return legend.placement(LegendPlacement.RIGHT)


Measured = TypeVar("Measured", stat.Panel, timeseries.Panel)


def with_unit(panel: Measured, unit: Unit) -> Measured:
    panel.unit(unit.name)
    if unit.decimals is not None:
        panel.decimals(unit.decimals)
    return panel
