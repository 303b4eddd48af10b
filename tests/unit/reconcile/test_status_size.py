"""The API server's budget: the worst status stays small, whatever the size of the plan."""

import json
from dataclasses import replace
from datetime import timedelta

from voyado_operator.api.activation_status import FormerTarget, LedgerRef, SegmentActivationStatus
from voyado_operator.api.common import APPROVED_BY
from voyado_operator.domain.delivery import Operation, Outcome, Result
from voyado_operator.domain.guards import Limits, Plan, violations
from voyado_operator.domain.plan import AudienceCounts, DiffCounts, WaitingPlan, Window
from voyado_operator.reconcile import report
from voyado_operator.reconcile.conditions import conditions
from voyado_operator.reconcile.findings import DiffFound, DriftFound, Findings

from tests.unit.reconcile.objects import NOW
from tests.unit.reconcile.test_report import assignment

MOST = 34 * 1024
HUGE = 999_999_999
LEDGER = LedgerRef(url="file:///" + "x" * 1000, id="f" * 32, version=HUGE, mark=f"{HUGE}-{'f' * 16}")
SAMPLE = ["h:ffffffff"] * 10


def test_the_worst_status_stays_below_34_kib() -> None:
    """A million rows planned, every guard against it, the longest history, and Engage's codes as long as they get."""
    audience = AudienceCounts(HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, HUGE, 0)
    counts = DiffCounts(HUGE, HUGE, HUGE, HUGE)
    plan = Plan(audience, counts, Window(HUGE, HUGE, 1), entering_opts_out=False, tenant_contacts=1)
    blocked = [
        *violations(replace(plan, unanswered=HUGE, review_was_due=NOW.date()), Limits(max_additions=1)),
        *violations(replace(plan, entering_opts_out=True), Limits()),
    ]
    found = Findings(
        audience=audience,
        diff=DiffFound(NOW, counts, "", f"sha256:{'f' * 64}", SAMPLE, SAMPLE, {Operation.ADD: 9}),
        violations=tuple(blocked),
        held=HUGE,
        is_judged=True,
        released=True,
        waiting=WaitingPlan(
            f"sha256:{'f' * 64}",
            "uid",
            HUGE,
            HUGE,
            HUGE,
            tuple((one.guard, one.message) for one in blocked[:10]),
            NOW,
            NOW + timedelta(days=1),
        ),
        drift=DriftFound(10_000, 10_000),
        ledger=LEDGER,
        former=FormerTarget(target="t" * 512, members=HUGE, ledger=LEDGER),
        requests=HUGE,
    )
    found.account.record(Operation.ADD, 0, (Outcome(str(number), Result.REJECTED, "E" * 64) for number in range(50)))
    run = assignment()
    spec = run.activation.spec.model_copy(update={"history_limit": 100})
    metadata = run.activation.metadata.model_copy(update={"annotations": {APPROVED_BY: "a" * 200}})
    activation = run.activation.model_copy(update={"spec": spec, "metadata": metadata})
    run = replace(run, activation=activation, approval=f"sha256:{'f' * 64}")

    status = SegmentActivationStatus()
    for _ in range(100):
        status = report.reported(run, found, status)
    listed = conditions(report.verdict(run, found), [], HUGE, NOW)
    status = status.model_copy(update={"conditions": listed, "next_run_time": NOW, "last_handled_plan_at": "t" * 256})

    size = len(json.dumps(status.manifest(), ensure_ascii=False).encode())
    assert len(status.history or []) == 100
    assert 20 * 1024 < size < MOST, size
