"""One connection: how Engage answers, and how much of the rate is used."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat

from helm.dashboards.colours import CALLS, ORANGE, RED, coloured, coloured_by_code
from helm.dashboards.frame import framed, one_of, others_of_the_namespace
from helm.dashboards.panels import (
    NEUTRAL,
    REQUESTS,
    SECONDS,
    SHARE,
    WHOLE,
    bars,
    beside,
    each_interval,
    last_known,
    legend_with,
    lines,
    many,
    now,
    number,
    query,
    sparse,
    states,
    verdict,
)

THIS = '{namespace="$namespace", connection="$connection"}'
TURNED_DOWN, ERRORS = f'{THIS[:-1]}, code="429"}}', f'{THIS[:-1]}, code!~"2..|404"}}'
RATE = f"sum(rate(voyado_engage_requests_total{THIS}[$__rate_interval]))"
ALLOWED = f"max(voyado_connection_rate_limit_requests_per_second{THIS})"
READY = f"max by (connection) (voyado_connection_ready{THIS})"
WAITING = f"sum(rate(voyado_engage_throttle_wait_seconds_total{THIS}[$__rate_interval]))"


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
            [query(RATE, "requests"), query(ALLOWED, "allowed")],
            REQUESTS,
        )
    ).with_panel(
        lines(
            "Waiting for the rate",
            "How many requests waited for the limiter, on average. Above 1 the rate is used up, which is no fault.",
            [query(WAITING, "waiting")],
            WHOLE,
        )
    ).with_panel(
        bars(
            "Requests by operation",
            "What the requests of each interval were for.",
            query(each_interval(f"voyado_engage_requests_total{THIS}", "operation"), "{{operation}}"),
            WHOLE,
            CALLS,
        )
    ).with_panel(
        states(
            "Works",
            "Whether the probe succeeded.",
            query(READY, "{{connection}}"),
            12,
        ).height(8)
    )


def _add_answers(board: build.Dashboard) -> None:
    board.with_row(build.Row("Answers"))
    board.with_panel(
        coloured_by_code(
            bars(
                "Answers by code",
                "404 is the answer for an address that Engage does not know. A word for a number: no answer came.",
                query(each_interval(f"voyado_engage_requests_total{THIS}", "code"), "{{code}}"),
                WHOLE,
                {},
            )
        )
    ).with_panel(
        coloured_by_code(
            bars(
                "Errors by code",
                "Answers other than 2xx and 404, and requests without an answer.",
                query(
                    each_interval(f"voyado_engage_requests_total{ERRORS}", "operation, code"), "{{operation}} {{code}}"
                ),
                WHOLE,
                {},
            )
        ).no_value("no error")
    ).with_panel(
        sparse(
            many(
                "Latency",
                "How long Engage took to answer, without the wait for the rate.",
                [query(_latency(quantile, "le"), f"{quantile * 100:.0f} %") for quantile in (0.5, 0.95, 0.99)],
                SECONDS,
            )
        )
    ).with_panel(
        coloured(
            sparse(
                many(
                    "Latency by operation",
                    "The slowest twentieth of each operation begins here.",
                    [query(_latency(0.95, "operation, le"), "{{operation}}")],
                    SECONDS,
                )
            ),
            CALLS,
        ).legend(beside(legend_with("max")))
    )


def _numbers() -> list[stat.Panel]:
    turned_down = f"sum(rate(voyado_engage_requests_total{TURNED_DOWN}[$__rate_interval]))"
    return [
        verdict("State", "Whether the probe succeeded.", now(READY), 4),
        number("Allowed", "Requests per second in force, as of the latest probe.", ALLOWED, REQUESTS, NEUTRAL, 4),
        number("Requests", "Per second.", RATE, REQUESTS, NEUTRAL, 4),
        number("Rate used", "Requests against the allowance.", f"{RATE} / {ALLOWED}", SHARE, {0.9: ORANGE}, 4),
        last_known(
            "Turned down",
            "Share of the latest requests answered 429: somebody else uses the key, or the rate is set too high.",
            f"({turned_down} or vector(0)) / ({RATE} > 0)",
            SHARE,
            {0.001: ORANGE, 0.01: RED},
            4,
        ),
        last_known(
            "Latency 95 %",
            "So long Engage took at most for 95 % of the latest requests.",
            _latency(0.95, "le"),
            SECONDS,
            {1: ORANGE, 10: RED},
            4,
        ),
    ]


def _latency(quantile: float, by: str) -> str:
    buckets = f"rate(voyado_engage_request_duration_seconds_bucket{THIS}[$__rate_interval])"
    return f"histogram_quantile({quantile}, sum by ({by}) ({buckets})) >= 0"
