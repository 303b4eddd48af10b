"""The table of all activations with their state, and where a click on one leads."""

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from helm.dashboards.colours import GREEN, ORANGE, REASONS, RED, as_text, option
from helm.dashboards.frame import PROMETHEUS
from helm.dashboards.panels import AGO, READY, SHARE, WHOLE, Unit, rows, thresholds

HERE = '{namespace=~"$namespace"}'
EACH = "max by (namespace, activation)"
COLUMNS = {
    # The reason is a column of its own, as it is a label of the first.
    "Ready": f"max by (namespace, activation, reason) (voyado_activation_ready{HERE})",
    "Members": f"{EACH} (voyado_activation_members{HERE})",
    "Audience": f"{EACH} (voyado_activation_audience_size{HERE})",
    "Pending": f"sum by (namespace, activation) (voyado_activation_pending_changes{HERE})",
    "Drift": f"{EACH} (voyado_activation_drift_ratio{HERE})",
    "Last success": f"{EACH} (voyado_activation_last_success_timestamp_seconds{HERE}) * 1000",
    "Next run": f"{EACH} (voyado_activation_next_run_timestamp_seconds{HERE}) * 1000",
}
# In pixels; what is left is the name's.
WIDTHS = {
    "Namespace": 130,
    "Ready": 90,
    "Reason": 165,
    "Members": 90,
    "Audience": 90,
    "Pending": 90,
    "Drift": 70,
    "Last success": 145,
    "Next run": 145,
}
COLOURED = option("custom.cellOptions", {"type": "color-text"})
ONE = (
    "/d/voyado-activation?${datasource:queryparam}&var-namespace=${__data.fields.Namespace}"
    "&var-activation=${__data.fields.Activation}&${__url_time_range}"
)
LINK = {"title": "This activation", "url": ONE}


def activations() -> table.Panel:
    panel = (
        table.Panel()
        .title("Activations")
        .description(
            "Every activation with the reason of its Ready condition. What is not Ready comes first; a click on a name "
            "opens its dashboard. Pending: changes of the latest run that Engage has not acknowledged."
        )
        .datasource(PROMETHEUS)
        .sort_by([common.TableSortByFieldState().display_name("Ready").desc(desc=False)])
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(DataTransformerConfig(id_val="organize", options=_arranged()))
        .override_by_name("Ready", [option("mappings", READY), COLOURED, option("custom.align", "left")])
        .override_by_name("Reason", [option("mappings", [_in_its_colour()]), COLOURED])
        .override_by_name("Activation", [option("links", [LINK]), option("custom.minWidth", 200)])
        .override_by_name("Drift", [_in(SHARE), option("thresholds", thresholds({0.05: ORANGE}).build()), COLOURED])
        .override_by_name("Last success", [_in(AGO)])
        .override_by_name("Next run", [_in(AGO)])
        .unit(WHOLE.name)
        .thresholds(thresholds({0: RED, 1: GREEN}))
        .no_value("-")
        .span(24)
        .height(11)
    )
    for title, width in WIDTHS.items():
        panel.override_by_name(title, [option("custom.width", width)])
    for ref, expr in zip(_refs(), COLUMNS.values(), strict=True):
        panel.with_target(rows(ref, expr))
    return panel


def _arranged() -> dict[str, object]:
    """Names for the columns that `merge` leaves, and their order."""
    values = {f"Value #{ref}": title for ref, title in zip(_refs(), COLUMNS, strict=True)}
    names = {"namespace": "Namespace", "activation": "Activation", "Value #A": "Ready", "reason": "Reason"} | values
    return {
        "excludeByName": {"Time": True},
        "renameByName": names,
        "indexByName": {name: place for place, name in enumerate(names)},
    }


def _refs() -> list[str]:
    return [chr(ord("A") + place) for place in range(len(COLUMNS))]


def _in(unit: Unit) -> DynamicConfigValue:
    return option("unit", unit.name)


def _in_its_colour() -> ValueMapping:
    return ValueMap(
        options={
            reason: ValueMappingResult(color=as_text(colour), index=place)
            for place, (reason, colour) in enumerate(REASONS.items())
        }
    )
