"""All activations and connections at a glance, and the operator itself."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat

from helm.dashboards.frame import framed, others, some_of
from helm.dashboards.overview import HERE, activations
from helm.dashboards.panels import GREY, RED, YELLOW, bars, lines, number, query, stacked

APART = "GuardBlocked|PartiallyApplied|Progressing"
READY = "voyado_activation_ready"
ONE_CONNECTION = (
    "/d/voyado-connection?${datasource:queryparam}&var-namespace=${__field.labels.namespace}"
    "&var-connection=${__field.labels.connection}&${__url_time_range}"
)


def dashboard() -> build.Dashboard:
    board = framed("voyado-fleet", "Voyado fleet", "Which audiences are aligned with Engage, and which are not.")
    board.with_variable(some_of("namespace", "Namespace", "label_values(voyado_activation_ready, namespace)"))
    board.link(others())
    board.with_row(build.Row("Now"))
    for panel in _numbers():
        board.with_panel(panel)
    board.with_panel(activations())
    board.with_row(build.Row("Over time"))
    board.with_panel(
        stacked(
            "Activations by reason",
            "How many activations had which reason in their Ready condition.",
            [query(f"count by (reason) (max by (namespace, activation, reason) ({READY}{HERE}))", "{{reason}}")],
            "short",
        )
    ).with_panel(
        bars(
            "Runs by outcome",
            "Runs that ended in each interval. The first run of an outcome since the operator's start is not counted.",
            [
                query(
                    f"sum by (outcome) (increase(voyado_activation_runs_total{HERE}[$__rate_interval]))", "{{outcome}}"
                )
            ],
            "short",
        )
    ).with_panel(
        lines(
            "Members",
            "Contacts that Engage acknowledged as members, of all activations.",
            [query(f"sum(max by (namespace, activation) (voyado_activation_members{HERE}))", "members")],
            "short",
        )
    ).with_panel(
        bars(
            "Changes by result",
            "What Engage answered to changes: accepted, rejected, or nobody knows.",
            [
                query(
                    f"sum by (operation, result) (increase(voyado_activation_changes_total{HERE}[$__rate_interval]))",
                    "{{operation}} {{result}}",
                )
            ],
            "short",
        )
    )
    board.with_row(build.Row("Connections"))
    board.with_panel(
        lines(
            "Connections that work",
            "1 while the probe of a connection succeeds.",
            [query(f"max by (namespace, connection) (voyado_connection_ready{HERE})", "{{namespace}}/{{connection}}")],
            "short",
        ).data_links([build.DashboardLink("This connection").url(ONE_CONNECTION)])
    ).with_panel(
        lines(
            "Requests to Engage",
            "Requests per second of each connection, whatever the answer.",
            [
                query(
                    f"sum by (namespace, connection) (rate(voyado_engage_requests_total{HERE}[$__rate_interval]))",
                    "{{namespace}}/{{connection}}",
                )
            ],
            "reqps",
        ).data_links([build.DashboardLink("This connection").url(ONE_CONNECTION)])
    )
    board.with_row(build.Row("Operator"))
    board.with_panel(
        lines(
            "Event loop delay",
            "How late the operator comes to what is due. Above 0.1 s something holds the interpreter.",
            [query(_delay(0.99), "99 %"), query(_delay(0.5), "50 %")],
            "s",
            8,
        )
    ).with_panel(
        lines(
            "Runs under way",
            "Runs at this moment, those that only send included.",
            [query("sum(voyado_operator_active_runs)", "runs")],
            "short",
            8,
        )
    ).with_panel(
        lines(
            "Versions",
            "Operators that answer, by version.",
            [
                query(
                    "count by (version, python_version) (voyado_operator_build_info)",
                    "{{version}}, Python {{python_version}}",
                )
            ],
            "short",
            8,
        )
    )
    return board


def _numbers() -> list[stat.Panel]:
    """Eight in a line; each is a number even where nothing is the matter."""
    failing = _activations(f'namespace=~"$namespace", reason!~"{APART}"', "== 0")
    return [
        number("All", "Activations that there are.", _activations('namespace=~"$namespace"'), "short", {0: GREY}),
        number(
            "Aligned",
            "Engage holds what the audience says.",
            _activations('namespace=~"$namespace", reason="Succeeded"', "== 1"),
            "short",
            {},
        ),
        number("Failing", "Not Ready, and not for a guard or a part of the contacts.", failing, "short", {1: RED}),
        number(
            "Blocked",
            "A plan waits for a person.",
            f"sum(max by (namespace, activation) (voyado_activation_blocked{HERE})) or vector(0)",
            "short",
            {1: YELLOW},
        ),
        number(
            "Partial",
            "Engage refused some contacts, or left open what it did.",
            _activations('namespace=~"$namespace", reason="PartiallyApplied"'),
            "short",
            {1: YELLOW},
        ),
        number(
            "Overdue",
            "Should have run ten minutes ago and are not under way; of all namespaces.",
            "sum(voyado_operator_overdue_activations)",
            "short",
            {1: RED},
        ),
        number(
            "Suspended",
            "Doing nothing is what was asked, here or on the connection.",
            _activations('namespace=~"$namespace", reason="Suspended"'),
            "short",
            {0: GREY},
        ),
        number(
            "Connections down",
            "Tenants that cannot be reached, or refuse the key.",
            f"count(max by (namespace, connection) (voyado_connection_ready{HERE}) == 0) or vector(0)",
            "short",
            {1: RED},
        ),
    ]


def _activations(selector: str, condition: str = "") -> str:
    """How many there are of a kind, 0 where there is none."""
    each = f"max by (namespace, activation) (voyado_activation_ready{{{selector}}})"
    return f"count({' '.join(filter(None, (each, condition)))}) or vector(0)"


def _delay(quantile: float) -> str:
    buckets = "rate(voyado_operator_event_loop_delay_seconds_bucket[$__rate_interval])"
    return f"histogram_quantile({quantile}, sum by (le) ({buckets}))"
