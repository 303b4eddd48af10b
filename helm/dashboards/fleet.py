"""All activations and connections at a glance, and the operator itself."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat

from helm.dashboards.colours import CHANGES, ORANGE, OUTCOMES, REASONS, RED, YELLOW
from helm.dashboards.frame import framed, others, some_of
from helm.dashboards.overview import HERE, activations
from helm.dashboards.panels import (
    NEUTRAL,
    REQUESTS,
    SECONDS,
    WHOLE,
    bars,
    beside,
    each_interval,
    legend_with,
    lines,
    number,
    query,
    stacked,
    states,
)

APART = "GuardBlocked|PartiallyApplied|Progressing"
READY = "voyado_activation_ready"
ONE_CONNECTION = (
    "/d/voyado-connection?${datasource:queryparam}&var-namespace=${__field.labels.namespace}"
    "&var-connection=${__field.labels.connection}&${__url_time_range}"
)

TALL = 10  # room for three connections in the legend


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
            query(f"count by (reason) (max by (namespace, activation, reason) ({READY}{HERE}))", "{{reason}}"),
            WHOLE,
            REASONS,
        ).legend(beside(legend_with("max")))
    ).with_panel(
        bars(
            "Runs by outcome",
            "Runs that ended in each interval.",
            query(each_interval(f"voyado_activation_runs_total{HERE}", "outcome"), "{{outcome}}"),
            WHOLE,
            OUTCOMES,
        )
    ).with_panel(
        lines(
            "Members",
            "Contacts that Engage acknowledged as members, of all activations.",
            [query(f"sum(max by (namespace, activation) (voyado_activation_members{HERE}))", "members")],
            WHOLE,
        )
    ).with_panel(
        bars(
            "Changes by result",
            "What Engage answered to changes: accepted, rejected, or nobody knows.",
            query(
                each_interval(f"voyado_activation_changes_total{HERE}", "operation, result"), "{{operation}} {{result}}"
            ),
            WHOLE,
            CHANGES,
        )
    )
    board.with_row(build.Row("Connections"))
    board.with_panel(
        states(
            "Connections that work",
            "Whether the probe of each connection succeeded.",
            query(f"max by (namespace, connection) (voyado_connection_ready{HERE})", "{{namespace}}/{{connection}}"),
            12,
        )
        .height(TALL)
        .data_links([build.DashboardLink("This connection").url(ONE_CONNECTION)])
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
            REQUESTS,
        )
        .height(TALL)
        .data_links([build.DashboardLink("This connection").url(ONE_CONNECTION)])
    )
    board.with_row(build.Row("Operator"))
    board.with_panel(
        lines(
            "Event loop delay",
            "How late the operator comes to what is due. Above 0.1 s something holds the interpreter.",
            [query(_delay(0.99), "99 %"), query(_delay(0.5), "50 %")],
            SECONDS,
            8,
        )
    ).with_panel(
        lines(
            "Runs under way",
            "Runs at this moment, those that only send included.",
            [query("sum(voyado_operator_active_runs)", "runs")],
            WHOLE,
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
            WHOLE,
            8,
        )
    )
    return board


def _numbers() -> list[stat.Panel]:
    """Two lines of four; each is a number even where nothing is the matter."""
    failing = _activations(f'namespace=~"$namespace", reason!~"{APART}"', "== 0")
    return [
        number("All", "Activations that there are.", _activations('namespace=~"$namespace"'), WHOLE, NEUTRAL),
        number(
            "Aligned",
            "Engage holds what the audience says.",
            _activations('namespace=~"$namespace", reason="Succeeded"', "== 1"),
            WHOLE,
            {},
        ),
        number("Failing", "Not Ready, and not for a guard or a part of the contacts.", failing, WHOLE, {1: RED}),
        number(
            "Blocked",
            "A plan waits for a person.",
            f"sum(max by (namespace, activation) (voyado_activation_blocked{HERE})) or vector(0)",
            WHOLE,
            {1: ORANGE},
        ),
        number(
            "Partial",
            "Engage refused some contacts, or left open what it did.",
            _activations('namespace=~"$namespace", reason="PartiallyApplied"'),
            WHOLE,
            {1: YELLOW},
        ),
        number(
            "Overdue",
            "Should have run ten minutes ago and are not under way; of all namespaces.",
            "sum(voyado_operator_overdue_activations)",
            WHOLE,
            {1: RED},
        ),
        number(
            "Suspended",
            "Doing nothing is what was asked, here or on the connection.",
            _activations('namespace=~"$namespace", reason="Suspended"'),
            WHOLE,
            NEUTRAL,
        ),
        number(
            "Connections down",
            "Tenants that cannot be reached, or refuse the key.",
            f"count(max by (namespace, connection) (voyado_connection_ready{HERE}) == 0) or vector(0)",
            WHOLE,
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
