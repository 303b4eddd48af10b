"""One connection: how Engage answers, and how much of the rate is used."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat

from helm.dashboards.frame import framed, one_of, others_of_the_namespace
from helm.dashboards.panels import RED, YELLOW, lines, number, query, stacked, states, word

THIS = '{namespace="$namespace", connection="$connection"}'
TURNED_DOWN, ERRORS = f'{THIS[:-1]}, code="429"}}', f'{THIS[:-1]}, code!~"2..|404"}}'
REQUESTS = f"sum(rate(voyado_engage_requests_total{THIS}[$__rate_interval]))"
ALLOWED = f"max(voyado_connection_rate_limit_requests_per_second{THIS})"


def dashboard() -> build.Dashboard:
    board = framed(
        "voyado-connection", "Voyado connection", "One tenant: its answers, and how much of the rate is used."
    )
    board.with_variable(one_of("namespace", "Namespace", "label_values(voyado_connection_ready, namespace)"))
    board.with_variable(
        one_of("connection", "Connection", 'label_values(voyado_connection_ready{namespace="$namespace"}, connection)')
    )
    board.link(others_of_the_namespace())
    board.with_row(build.Row("Now"))
    for panel in _numbers():
        board.with_panel(panel)
    _add_rate(board)
    _add_answers(board)
    return board


def _add_rate(board: build.Dashboard) -> None:
    board.with_row(build.Row("Rate"))
    board.with_panel(
        lines(
            "Requests against the allowance",
            "The allowance is the rate in force after back-pressure, as of the latest probe.",
            [query(REQUESTS, "requests"), query(ALLOWED, "allowed")],
            "reqps",
        )
    ).with_panel(
        lines(
            "Waiting for the rate",
            "Seconds that requests waited for the limiter, per second. Above 1 the rate is used up, which is no fault.",
            [query(f"sum(rate(voyado_engage_throttle_wait_seconds_total{THIS}[$__rate_interval]))", "waiting")],
            "s",
        )
    ).with_panel(
        stacked(
            "Requests by operation",
            "What the requests were for.",
            [
                query(
                    f"sum by (operation) (rate(voyado_engage_requests_total{THIS}[$__rate_interval]))", "{{operation}}"
                )
            ],
            "reqps",
        )
    ).with_panel(
        states(
            "Works",
            "Whether the probe succeeded.",
            query(f"max by (connection) (voyado_connection_ready{THIS})", "{{connection}}"),
            12,
        ).height(8)
    )


def _add_answers(board: build.Dashboard) -> None:
    board.with_row(build.Row("Answers"))
    board.with_panel(
        stacked(
            "Answers by code",
            "404 is the answer for an address that Engage does not know. A word instead of a number: no answer came.",
            [query(f"sum by (code) (rate(voyado_engage_requests_total{THIS}[$__rate_interval]))", "{{code}}")],
            "reqps",
        )
    ).with_panel(
        lines(
            "Errors by code",
            "Answers other than 2xx and 404, and requests without an answer.",
            [
                query(
                    f"sum by (operation, code) (rate(voyado_engage_requests_total{ERRORS}[$__rate_interval]))",
                    "{{operation}} {{code}}",
                )
            ],
            "reqps",
        ).no_value("no error")
    ).with_panel(
        lines(
            "Latency",
            "How long Engage took to answer, without the wait for the rate.",
            [query(_latency(quantile, "le"), f"{quantile:.0%}") for quantile in (0.5, 0.95, 0.99)],
            "s",
        )
    ).with_panel(
        lines(
            "Latency by operation",
            "The slowest twentieth of each operation begins here.",
            [query(_latency(0.95, "operation, le"), "{{operation}}")],
            "s",
        )
    )


def _numbers() -> list[stat.Panel]:
    turned_down = f"sum(rate(voyado_engage_requests_total{TURNED_DOWN}[$__rate_interval]))"
    return [
        word(
            "State",
            "Whether the probe succeeded.",
            f"max by (connection) (voyado_connection_ready{THIS})",
            "{{connection}}",
            4,
        ),
        number("Allowed", "Requests per second in force, as of the latest probe.", ALLOWED, "reqps", {}, 4),
        number("Requests", "Per second.", REQUESTS, "reqps", {}, 4),
        number(
            "Rate used", "Requests against the allowance.", f"{REQUESTS} / {ALLOWED}", "percentunit", {0.9: YELLOW}, 4
        ),
        number(
            "Turned down",
            "Share of the requests answered 429: somebody else uses the key, or the rate is set too high.",
            f"({turned_down} or vector(0)) / {REQUESTS}",
            "percentunit",
            {0.001: YELLOW, 0.01: RED},
            4,
        ),
        number(
            "Latency of 95 %",
            "So long Engage takes at most for 95 % of the requests.",
            _latency(0.95, "le"),
            "s",
            {1: YELLOW, 10: RED},
            4,
        ),
    ]


def _latency(quantile: float, by: str) -> str:
    buckets = f"rate(voyado_engage_request_duration_seconds_bucket{THIS}[$__rate_interval])"
    return f"histogram_quantile({quantile}, sum by ({by}) ({buckets}))"
