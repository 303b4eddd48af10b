"""From a run's findings to what people see: the status, the Ready condition, the sentence in it. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from voyado_operator.api.activation_status import (
    MOST_OF_A_NAME,
    BlockedBy,
    Diff,
    HistoryEntry,
    LastRun,
    LastSuccessfulRun,
    Sample,
    SegmentActivationStatus,
    WaitingPlan,
)
from voyado_operator.api.common import APPROVE, APPROVED_BY, PLAN_REQUESTED_AT, REQUESTED_AT
from voyado_operator.domain import clocks
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.domain.errors import Retry, SecretMissing
from voyado_operator.domain.schedule import Schedule, next_run, retry_after
from voyado_operator.reconcile.conditions import Verdict, fine, retrying, shortened, stalled, verdict_of
from voyado_operator.reconcile.findings import Assignment, Findings, Intent, Outcome
from voyado_operator.reconcile.triggers import token

FIRST_LOOK = timedelta(seconds=2)
TROUBLED = (Outcome.FAILED, Outcome.PARTIAL)


def verdict(assignment: Assignment, findings: Findings) -> Verdict:
    message = sentence(assignment, findings)
    match findings.outcome(assignment.intent):
        case Outcome.FAILED if findings.error:
            return verdict_of(findings.error)
        case Outcome.BLOCKED:
            return stalled("GuardBlocked", message)
        case Outcome.PLANNED:
            return fine("Planned", message)
        case Outcome.PARTIAL if findings.is_unsettled:
            return retrying("PartiallyApplied", message)
        case Outcome.PARTIAL:
            return fine("PartiallyApplied", message)
    return fine("Succeeded", message)


def resting(status: SegmentActivationStatus) -> Verdict:
    """The verdict on an activation without a schedule that nothing holds back any more."""
    if status.plan is not None:
        return stalled("GuardBlocked", "; ".join(f"{block.guard}: {block.message}" for block in status.plan.blocked_by))
    last = f"; the last run ended {status.last_run.outcome}" if status.last_run else ""
    return fine("Succeeded", f"no schedule: runs when it is asked to{last}")


def sentence(assignment: Assignment, findings: Findings) -> str:
    """What the run did, in one line; never a contact, never an address."""
    if findings.error:
        return shortened(str(findings.error))
    outcome = findings.outcome(assignment.intent)
    guards = "; ".join(f"{violation.guard}: {violation.message}" for violation in findings.violations)
    if outcome is Outcome.BLOCKED:
        return shortened(guards + _how_to_release(assignment, findings))
    counts, account = findings.diff.counts if findings.diff else None, findings.account
    if outcome is Outcome.PLANNED and counts:
        planned = f"{counts.entering} would enter, {counts.leaving} would leave; nothing was sent"
        return shortened(f"{planned}; a guard would block: {guards}" if guards else planned)
    added, removed = (account.counts[operation, Result.ACCEPTED] for operation in Operation)
    said = f"{added} added, {removed} removed"
    if findings.members is not None:
        said = f"{findings.members} members; {said}"
    said += "".join(f", {count} {word}" for count, word in _looked_at(findings) if count)
    said += "".join(f"; {clause}" for clause in _beside(findings) if clause)
    return shortened(f"{said}; {described}" if (described := account.described()) else said)


def _beside(findings: Findings) -> Iterator[str | bool]:
    """What there is to say beside the numbers."""
    drift, pending = findings.drift, findings.audience.pending if findings.audience else 0
    if findings.former:
        yield f"{findings.former.members} are still on the former target {findings.former.target}"
    if drift:
        yield f"drift: {drift.differing} of {drift.read} members read back differ, {drift.corrected} corrected"
    yield findings.is_baselining and (
        "the ledger was lost and started anew, so contacts that left meanwhile stay on the target"
    )
    yield findings.gave_way and "made way for an erasure, and goes on at once"
    yield findings.under_way > 0 and (f"{findings.under_way} wait for a bulk update that Engage is still working on")
    yield pending > 0 and f"{pending} rows wait for their look-up, and no contact is removed until then"
    if unusable := findings.decisions.unusable:
        yield f"{unusable} rows have no decidedAt that is a moment before this run, which counts as no decision"
    if findings.clock_ahead is not None:
        yield clocks.told(findings.clock_ahead, findings.held_by_clock)


def _looked_at(findings: Findings) -> Sequence[tuple[int, str]]:
    """What needed no sending, or was not sent."""
    account, diff = findings.account, findings.diff
    parked = sum(diff.parked.values()) if diff else 0
    return (
        (account.adopted, "adopted as Engage showed them so already"),
        (account.declined, "declined as Engage shows the person's own no"),
        (account.doubted, "held as nobody can tell since the ledger was lost whether they said no"),
        (account.later, "left to the next run, as the members of the lost ledger are found first"),
        (diff.declined_before if diff else 0, "declined earlier"),
        (parked, "parked as Engage refused them lately"),
        (findings.gone, "gone from Engage"),
        (findings.settled, "done by a bulk update of an earlier run"),
    )


def next_time(
    assignment: Assignment, findings: Findings, schedule: Schedule, status: SegmentActivationStatus, dice: float
) -> datetime | None:
    """When the activation runs next: sooner than planned where something has to be tried again."""
    now = findings.finished_at
    regular = next_run(schedule, assignment.started_at, now, dice)
    again = now + retry_after(schedule, _troubled_runs(status) + 1)
    if findings.gave_way:
        return now
    if isinstance(findings.error, Retry):
        return again
    if isinstance(findings.error, SecretMissing) and regular:  # it may be applied with the next manifest
        return min(again, now + FIRST_LOOK * (1 << min(_troubled_runs(status), 10)))
    if findings.key_was_refused:
        return again  # the Secret may have changed before the probe that would tell of it
    if findings.error:  # a person must act; whether they did is seen by trying, where there is a schedule at all
        return again if regular else None
    if findings.is_unsettled:
        return min(again, regular) if regular else again
    return regular


def reported(assignment: Assignment, findings: Findings, status: SegmentActivationStatus) -> SegmentActivationStatus:
    """The status after a run, but for its conditions and its next run time."""
    outcome, spec = findings.outcome(assignment.intent), assignment.activation.spec
    run, audience, account = assignment.run_id, findings.audience, findings.account
    diff = findings.diff
    entering, leaving = (diff.counts.entering, diff.counts.leaving) if diff else (0, 0)
    accepted, rejected = account.total(Result.ACCEPTED), account.total(Result.REJECTED)
    last_run = LastRun(
        id=run,
        outcome=outcome.value,
        started_at=assignment.started_at,
        finished_at=findings.finished_at,
        audience=audience.contacts if audience else 0,
        invalid=audience.invalid if audience else 0,
        duplicates=audience.duplicates if audience else 0,
        matched=audience.contacts if audience else 0,
        unmatched=audience.unmatched if audience else 0,
        ambiguous=audience.ambiguous if audience else 0,
        entering=entering,
        leaving=leaving,
        accepted=accepted,
        adopted=account.adopted,
        declined=account.declined,
        rejected=rejected,
        unknown=account.total(Result.UNKNOWN),
        requests=findings.requests,
        message=sentence(assignment, findings),
    )
    approver = _approver(assignment, findings)
    entry = HistoryEntry(
        id=run,
        outcome=outcome.value,
        finished_at=findings.finished_at,
        entering=entering,
        leaving=leaving,
        accepted=accepted,
        rejected=rejected,
        waits_for=[guard for guard, _ in findings.waiting.blocked_by[:2]]
        if findings.waiting and not approver
        else None,
        approved_by=approver,
    )
    changes: dict[str, object] = {
        **echoes(assignment, findings),
        "progress": None,
        "last_run": last_run,
        "history": [entry, *(status.history or [])][: spec.history_limit],
        "plan": _plan(findings) if findings.is_judged and not assignment.is_on_the_side else status.plan,
    }
    changes["former_target"] = findings.former
    if findings.ledger:
        changes["ledger"] = findings.ledger
    if diff:
        changes["members"] = findings.members
        changes["diff"] = Diff(
            computed_at=diff.computed_at,
            entering=diff.counts.entering,
            leaving=diff.counts.leaving,
            unchanged=diff.counts.unchanged,
            digest=diff.digest,
            sample=Sample(entering=diff.entering, leaving=diff.leaving),
        )
    if outcome is Outcome.SUCCEEDED:
        changes["last_successful_run"] = LastSuccessfulRun(id=run, finished_at=findings.finished_at)
    return status.model_copy(update=changes)


def echoes(assignment: Assignment, findings: Findings) -> dict[str, str | None]:
    """The status fields that answer what a person or a tool asked for by annotation."""
    if assignment.is_on_the_side:
        return {"last_handled_plan_at": token(assignment.activation, PLAN_REQUESTED_AT)}
    answers = {"last_handled_reconcile_at": token(assignment.activation, REQUESTED_AT)}
    if assignment.intent is Intent.PLAN:  # with mode: Plan every run is the plan that was asked for
        answers["last_handled_plan_at"] = token(assignment.activation, PLAN_REQUESTED_AT)
    if findings.is_judged and assignment.approval:
        answers["last_handled_approval"] = assignment.approval
    return answers


def _approver(assignment: Assignment, findings: Findings) -> str | None:
    """Who let the plan out that went out in this run."""
    name = assignment.activation.metadata.annotations.get(APPROVED_BY)
    return name[:MOST_OF_A_NAME] if name and assignment.approval and findings.released else None


def _plan(findings: Findings) -> WaitingPlan | None:
    waiting = findings.waiting
    if waiting is None:
        return None
    return WaitingPlan(
        digest=waiting.digest,
        entering=waiting.entering,
        leaving=waiting.leaving,
        blocked_by=[BlockedBy(guard=guard, message=message) for guard, message in waiting.blocked_by],
        created_at=waiting.created_at,
        expires_at=waiting.expires_at,
    )


def _how_to_release(assignment: Assignment, findings: Findings) -> str:
    if findings.waiting is None or findings.waiting.approved:
        return ""
    namespace, name = assignment.activation.metadata.key
    annotation = f"{APPROVE}={findings.waiting.digest}"
    return f". If it is meant: kubectl annotate segact -n {namespace} {name} {annotation} --overwrite"


def _troubled_runs(status: SegmentActivationStatus) -> int:
    """How many runs in a row, up to the latest, left something to be tried again."""
    count = 0
    for entry in status.history or []:
        if entry.outcome not in TROUBLED:
            break
        count += 1
    return count
