"""What every dashboard has around its panels: data source, variables, links to the others."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

TAG = "voyado-operator"
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")


def framed(name: str, title: str, description: str) -> build.Dashboard:
    """An empty dashboard, found at /d/`name`, of the last day."""
    return (
        build.Dashboard(title)
        .uid(name)
        .description(description)
        .tags([TAG])
        .timezone("browser")
        .time("now-24h", "now")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )


def others() -> build.DashboardLink:
    """The way to the other dashboards, for the same time."""
    return (
        build.DashboardLink("Voyado")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(keep_time=True)
        .tooltip("The other dashboards of the operator, for the same time")
    )


def others_of_the_namespace() -> build.DashboardLink:
    """The same, for whoever has chosen a namespace: one that means all would be no choice there."""
    return others().include_vars(include_vars=True)


def one_of(name: str, label: str, query: str) -> build.QueryVariable:
    """A variable that holds one of the values of a label."""
    return (
        build.QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query({"query": query, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def some_of(name: str, label: str, query: str) -> build.QueryVariable:
    """A variable that holds any number of them, all at first."""
    everything = VariableOption(selected=True, text="All", value="$__all")
    return (
        one_of(name, label, query).multi(multi=True).include_all(include_all=True).all_value(".*").current(everything)
    )
