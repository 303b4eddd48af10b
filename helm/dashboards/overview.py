"""The table of all activations with their state, and where a click on one leads."""

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from helm.dashboards.frame import PROMETHEUS
from helm.dashboards.panels import GREEN, READY, RED, YELLOW, rows, thresholds

HERE = '{namespace=~"$namespace"}'
EACH = "max by (namespace, activation)"
COLUMNS = {
    # The reason is a column of its own, as it is a label of the first.
    "Ready": f"max by (namespace, activation, reason) (voyado_activation_ready{HERE})",
    "Members": f"{EACH} (voyado_activation_members{HERE})",
    "Audience": f"{EACH} (voyado_activation_audience_size{HERE})",
    "Pending": f"sum by (namespace, activation) (voyado_activation_pending_changes{HERE})",
    "Drift": f"{EACH} (voyado_activation_drift_ratio{HERE})",
    "Last success": f"time() - {EACH} (voyado_activation_last_success_timestamp_seconds{HERE})",
    "Next run": f"{EACH} (voyado_activation_next_run_timestamp_seconds{HERE}) * 1000",
}
ONE = (
    "/d/voyado-activation?${datasource:queryparam}&var-namespace=${__data.fields.Namespace}"
    "&var-activation=${__data.fields.Activation}&${__url_time_range}"
)


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
        .override_by_name("Ready", [_set("mappings", READY), _set("custom.cellOptions", {"type": "color-text"})])
        .override_by_name("Activation", [_set("links", [{"title": "This activation", "url": ONE}])])
        .override_by_name("Drift", [_set("unit", "percentunit"), *_coloured({0.05: YELLOW})])
        .override_by_name("Last success", [_set("unit", "s")])
        .override_by_name("Next run", [_set("unit", "dateTimeFromNow")])
        .thresholds(thresholds({0: RED, 1: GREEN}))
        .no_value("-")
        .span(24)
        .height(11)
    )
    for ref, expr in zip(_refs(), COLUMNS.values(), strict=True):
        panel.with_target(rows(ref, expr))
    return panel


def _arranged() -> dict[str, object]:
    """Names for the columns that `merge` leaves, and their order."""
    values = {f"Value #{ref}": title for ref, title in zip(_refs(), COLUMNS, strict=True)}
    names = {"namespace": "Namespace", "activation": "Activation", "reason": "Reason", **values}
    return {
        "excludeByName": {"Time": True},
        "renameByName": names,
        "indexByName": {name: place for place, name in enumerate(names)},
    }


def _refs() -> list[str]:
    return [chr(ord("A") + place) for place in range(len(COLUMNS))]


def _coloured(steps: dict[float, str]) -> list[DynamicConfigValue]:
    return [_set("thresholds", thresholds(steps).build()), _set("custom.cellOptions", {"type": "color-text"})]


def _set(option: str, value: object) -> DynamicConfigValue:
    return DynamicConfigValue(id_val=option, value=value)
