"""One activation: what it holds, what it changes, and how its runs go."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat

from helm.dashboards.colours import CHANGES, OPERATIONS, ORANGE, OUTCOMES, PHASES, RED, coloured
from helm.dashboards.frame import framed, one_of, others_of_the_namespace
from helm.dashboards.panels import (
    NEUTRAL,
    SECONDS,
    SHARE,
    WHOLE,
    YES,
    bars,
    beside,
    each_interval,
    legend_with,
    lines,
    many,
    number,
    query,
    reason,
    reasons,
    stacked,
)

THIS = '{namespace="$namespace", activation="$activation"}'
REASON = f"max by (reason) (voyado_activation_ready{THIS})"
# Runs are rare: within the interval of a graph's point there is often none.
LATELY = "[6h]"


def dashboard() -> build.Dashboard:
    board = framed("voyado-activation", "Voyado activation", "One activation: members, changes, and how its runs go.")
    board.with_variable(one_of("namespace", "Namespace", "label_values(voyado_activation_ready, namespace)"))
    board.with_variable(
        one_of("activation", "Activation", 'label_values(voyado_activation_ready{namespace="$namespace"}, activation)')
    )
    board.link(others_of_the_namespace())
    board.with_row(build.Row("Now"))
    for panel in _numbers():
        board.with_panel(panel)
    board.with_panel(reasons("Reason", "The reason of the Ready condition over time.", REASON))
    _add_membership(board)
    _add_runs(board)
    return board


def _add_membership(board: build.Dashboard) -> None:
    board.with_row(build.Row("Membership"))
    board.with_panel(
        lines(
            "Members and audience",
            "Members are what Engage acknowledged, the audience is what the source returned. Apart for long: blocked, "
            "partial or failing.",
            [query(_most("members"), "members"), query(_most("audience_size"), "audience")],
            WHOLE,
        )
    ).with_panel(
        stacked(
            "Pending changes",
            "Entering (add) and leaving (remove) contacts of the latest run that Engage has not acknowledged.",
            query(f"max by (operation) (voyado_activation_pending_changes{THIS})", "{{operation}}"),
            WHOLE,
            OPERATIONS,
        )
    ).with_panel(
        bars(
            "Changes by result",
            "What Engage answered to the changes of each interval.",
            query(
                each_interval(f"voyado_activation_changes_total{THIS}", "operation, result"), "{{operation}} {{result}}"
            ),
            WHOLE,
            CHANGES,
        )
    ).with_panel(
        lines(
            "Unusable rows",
            "Invalid: without a usable identifier. Unmatched: Engage knows no such contact, and none is created.",
            [query(_most("invalid_rows"), "invalid"), query(_most("unmatched_contacts"), "unmatched")],
            WHOLE,
            6,
        )
    ).with_panel(
        lines(
            "Drift",
            "Share of the members read back that Engage disagrees on. Needs spec.drift.",
            [query(_most("drift_ratio"), "drift")],
            SHARE,
            6,
        ).no_value("spec.drift is not set")
    )


def _add_runs(board: build.Dashboard) -> None:
    board.with_row(build.Row("Runs"))
    duration = f"rate(voyado_activation_run_duration_seconds_bucket{THIS}{LATELY})"
    phases = "voyado_activation_run_phase_duration_seconds"
    spent, count = (f"sum by (phase) (rate({phases}_{part}{THIS}{LATELY}))" for part in ("sum", "count"))
    board.with_panel(
        bars(
            "Runs by outcome",
            "Runs that ended in each interval.",
            query(each_interval(f"voyado_activation_runs_total{THIS}", "outcome"), "{{outcome}}"),
            WHOLE,
            OUTCOMES,
            8,
        )
    ).with_panel(
        lines(
            "Duration",
            "How long the runs of the last six hours took.",
            [
                query(f"histogram_quantile({quantile}, sum by (le) ({duration})) >= 0", f"{quantile * 100:.0f} %")
                for quantile in (0.5, 0.95)
            ],
            SECONDS,
            6,
        )
    ).with_panel(
        coloured(
            many(
                "Phases",
                "How long each phase took on average in the last six hours.",
                [query(f"{spent} / ({count} > 0)", "{{phase}}")],
                SECONDS,
                10,
            ),
            PHASES,
        ).legend(beside(legend_with("lastNotNull")))
    )


def _numbers() -> list[stat.Panel]:
    return [
        reason("State", "The reason of the Ready condition.", REASON),
        number("Members", "Contacts that Engage acknowledged.", _most("members"), WHOLE, NEUTRAL),
        number(
            "Pending",
            "Changes of the latest run that Engage has not acknowledged.",
            f"sum(voyado_activation_pending_changes{THIS})",
            WHOLE,
            {1: ORANGE},
        ),
        number("Blocked", "Whether a plan waits for a person.", _most("blocked"), WHOLE, {1: ORANGE}).mappings(YES),
        number(
            "Since success",
            "Time since a run succeeded.",
            f"time() - {_most('last_success_timestamp_seconds')}",
            SECONDS,
            NEUTRAL,
        ),
        number(
            "Behind schedule",
            "Time since a run should have succeeded; negative while there is time. Red when the alert is near.",
            f"time() - {_most('success_due_timestamp_seconds')}",
            SECONDS,
            {900: ORANGE, 14400: RED},
        ),
        number(
            "Next run in",
            "Negative while it is under way, or overdue.",
            f"{_most('next_run_timestamp_seconds')} - time()",
            SECONDS,
            NEUTRAL,
        ),
        number(
            "Lost ledgers",
            "Runs since the operator's start that began without their ledger: who left before stays on the target.",
            _most("ledger_rebaselines_total"),
            WHOLE,
            {1: RED},
        ),
    ]


def _most(metric: str) -> str:
    return f"max(voyado_activation_{metric}{THIS})"
