"""From status and findings to the metrics of an activation."""

from datetime import datetime

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.domain.errors import InvalidSpec
from voyado_operator.domain.schedule import next_run
from voyado_operator.reconcile.conditions import ready_of
from voyado_operator.reconcile.findings import Assignment, Findings
from voyado_operator.reconcile.limits import schedule
from voyado_operator.reconcile.progress import Tracker
from voyado_operator.telemetry.metrics import Metrics


def show_status(metrics: Metrics, activation: SegmentActivation, status: SegmentActivationStatus) -> None:
    """The gauges that the status holds too, so that a restart loses none of them."""
    key = activation.metadata.key
    metrics.suspended.labels(*key).set(activation.spec.suspend)
    metrics.blocked.labels(*key).set(_is_blocked(status))
    if status.members is not None:
        metrics.members.labels(*key).set(status.members)
    if status.last_successful_run is not None:
        metrics.last_success.labels(*key).set(status.last_successful_run.finished_at.timestamp())
    if status.next_run_time is not None:
        metrics.next_run.labels(*key).set(status.next_run_time.timestamp())
    else:
        metrics.runs_no_more(key)
    if activation.spec.drift is None:
        metrics.reads_nothing_back(key)
    if (ready := ready_of(status.conditions)) is not None:
        metrics.judged(key, ready.reason, is_ready=ready.status == "True")
    if (due := success_due(activation, status)) is not None:
        metrics.success_due.labels(*key).set(due.timestamp())
    else:
        metrics.must_not_succeed(key)


def success_due(activation: SegmentActivation, status: SegmentActivationStatus) -> datetime | None:
    """When the schedule wants the run after the latest successful one, or after the activation came to be.

    None where no run is to succeed: without a schedule, suspended, or only planning.
    """
    spec, last = activation.spec, status.last_successful_run
    if spec.suspend or spec.mode == "Plan":
        return None
    since = last.finished_at if last else activation.metadata.creation_timestamp
    try:
        return next_run(schedule(spec.schedule), since, since, dice=1.0)
    except InvalidSpec:  # which the Ready condition tells
        return None


def _is_blocked(status: SegmentActivationStatus) -> bool:
    """Also while something else is the matter, such as a failing source: the plan waits for a person all the same."""
    ready, plan = ready_of(status.conditions), status.plan
    waits = plan is not None and plan.digest != status.last_handled_approval
    return waits or (ready is not None and ready.reason == "GuardBlocked")


def count_run(metrics: Metrics, assignment: Assignment, findings: Findings, tracker: Tracker) -> None:
    key = assignment.activation.metadata.key
    metrics.runs.labels(*key, findings.outcome(assignment.intent).value).inc()
    metrics.run_duration.labels(*key).observe((findings.finished_at - assignment.started_at).total_seconds())
    for phase, seconds in tracker.seconds.items():
        metrics.phase_duration.labels(*key, phase.lower()).observe(seconds)
    metrics.changed(key, findings.account.counts.items())
    if findings.drift is not None:
        metrics.drift.labels(*key).set(findings.drift.ratio)
    metrics.rebaselines.labels(*key).inc(findings.is_baselining)
    metrics.left_behind.labels(*key).inc(findings.left_behind)
    if findings.audience is not None:
        metrics.audience_size.labels(*key).set(findings.audience.contacts)
        metrics.invalid.labels(*key).set(findings.audience.invalid)
        metrics.unmatched.labels(*key).set(findings.audience.unmatched)
    if findings.diff is not None:
        due = {Operation.ADD: findings.diff.counts.entering, Operation.REMOVE: findings.diff.counts.leaving}
        for operation, contacts in due.items():
            accepted = findings.account.counts[operation, Result.ACCEPTED]
            metrics.pending.labels(*key, operation.value).set(contacts - accepted)
