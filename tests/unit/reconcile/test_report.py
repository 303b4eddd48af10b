"""What a run's findings become: outcome, Ready, numbers, history, the next run."""

from dataclasses import replace
from datetime import timedelta

import pytest
from voyado_operator.api.activation_status import FormerTarget, HistoryEntry, LedgerRef, SegmentActivationStatus
from voyado_operator.domain.delivery import Account, Operation, Outcome, Result
from voyado_operator.domain.errors import CredentialsInvalid, RunError, SecretMissing, SourceFailed
from voyado_operator.domain.guards import Violation
from voyado_operator.domain.plan import AudienceCounts, DiffCounts
from voyado_operator.domain.schedule import Every, Schedule
from voyado_operator.reconcile import report
from voyado_operator.reconcile.findings import Assignment, DiffFound, Findings, Intent

from tests.unit.reconcile.objects import NOW, activation, assigned

HOURLY = Every(timedelta(hours=1))


def assignment(intent: Intent = Intent.ENFORCE, **spec: object) -> Assignment:
    return assigned(activation(**spec), intent)


def findings(
    results: dict[Result, int] | None = None,
    pending: int = 0,
    violations: tuple[Violation, ...] = (),
    error: RunError | None = None,
) -> Findings:
    account = Account()
    for result, count in (results or {}).items():
        account.record(Operation.ADD, 0, [Outcome(f"{result}-{number}", result, "Code") for number in range(count)])
    return Findings(
        audience=AudienceCounts(20, 1, 2, 5, 1, 0, pending, 17),
        diff=DiffFound(NOW, DiffCounts(entering=5, leaving=2, unchanged=12, members=14), "", "sha256:d", [], []),
        violations=violations,
        held=7 if violations else 0,
        is_judged=True,
        account=account,
        error=error,
        finished_at=NOW + timedelta(seconds=5),
    )


BLOCK = (Violation("maxRemovals", "too many"),)


@pytest.mark.parametrize(
    ("found", "intent", "outcome", "ready", "reason"),
    [
        (findings({Result.ACCEPTED: 7}), Intent.ENFORCE, "Succeeded", "True", "Succeeded"),
        (findings({Result.ACCEPTED: 6, Result.REJECTED: 1}), Intent.ENFORCE, "Partial", "True", "PartiallyApplied"),
        (findings({Result.ACCEPTED: 6, Result.UNKNOWN: 1}), Intent.ENFORCE, "Partial", "False", "PartiallyApplied"),
        (findings(pending=3), Intent.ENFORCE, "Partial", "False", "PartiallyApplied"),
        (findings(violations=BLOCK), Intent.ENFORCE, "Blocked", "False", "GuardBlocked"),
        (findings(), Intent.PLAN, "Planned", "True", "Planned"),
        (findings(violations=BLOCK), Intent.PLAN, "Planned", "True", "Planned"),
        (findings(error=SourceFailed("said")), Intent.ENFORCE, "Failed", "False", "SourceFailed"),
        (findings(error=CredentialsInvalid("said")), Intent.PLAN, "Failed", "False", "CredentialsInvalid"),
    ],
)
def test_outcome_and_ready(found: Findings, intent: Intent, outcome: str, ready: str, reason: str) -> None:
    verdict = report.verdict(assignment(intent), found)
    assert (found.outcome(intent).value, verdict.ready, verdict.reason) == (outcome, ready, reason)


def test_the_status_has_the_numbers_and_they_add_up() -> None:
    found = findings({Result.ACCEPTED: 3, Result.REJECTED: 1, Result.UNKNOWN: 1})
    found.account.membership = 3

    status = report.reported(assignment(), found, SegmentActivationStatus())

    run = status.last_run
    assert run is not None
    assert run.accepted + run.rejected + run.unknown == found.account.sent == 5
    assert (run.invalid, run.duplicates, run.unmatched, run.audience) == (1, 2, 1, 17)
    assert status.members == 14 + 3, "before the run, and what the run changed"
    assert status.last_successful_run is None


def test_history_has_a_limit() -> None:
    status = SegmentActivationStatus()
    for _ in range(5):
        status = report.reported(assignment(historyLimit=3), findings(), status)
    assert len(status.history or []) == 3


def test_a_failed_run_keeps_what_was_known() -> None:
    before = report.reported(assignment(), findings({Result.ACCEPTED: 7}), SegmentActivationStatus())
    failed = Findings(error=SourceFailed("said"), finished_at=NOW)

    after = report.reported(assignment(), failed, before)

    assert (after.members, after.diff, after.last_successful_run) == (
        before.members,
        before.diff,
        before.last_successful_run,
    )


def failed(times: int) -> SegmentActivationStatus:
    entry = HistoryEntry(id="r", outcome="Failed", finished_at=NOW, entering=0, leaving=0, accepted=0, rejected=0)
    return SegmentActivationStatus(history=[entry] * times)


@pytest.mark.parametrize(
    ("schedule", "found", "before", "expected"),
    [
        (HOURLY, findings(), 0, timedelta(hours=1)),
        (None, findings(), 0, None),
        (HOURLY, findings(error=SourceFailed("")), 0, timedelta(minutes=5)),
        (HOURLY, findings(error=SourceFailed("")), 2, timedelta(minutes=20)),
        (HOURLY, findings(error=SourceFailed("")), 9, timedelta(hours=1)),
        (None, findings(error=SourceFailed("")), 0, timedelta(minutes=5)),
        (HOURLY, findings(error=CredentialsInvalid("")), 0, timedelta(minutes=5)),
        (HOURLY, findings(error=SecretMissing("")), 0, timedelta(seconds=2)),
        (HOURLY, findings(error=SecretMissing("")), 4, timedelta(seconds=32)),
        (None, findings(error=SecretMissing("")), 0, None),
        (None, findings(error=CredentialsInvalid("")), 0, timedelta(minutes=5)),
        (HOURLY, findings({Result.UNKNOWN: 1}), 0, timedelta(minutes=5)),
        (HOURLY, findings({Result.REJECTED: 1}), 0, timedelta(hours=1)),
        (HOURLY, findings(violations=BLOCK), 0, timedelta(hours=1)),
    ],
)
def test_the_next_run_comes_sooner_where_something_is_to_be_tried_again(
    schedule: Schedule, found: Findings, before: int, expected: timedelta | None
) -> None:
    """A regular run counts from the start of this one, a retry from its end."""
    when = report.next_time(assignment(), found, schedule, failed(before), 0.5)
    base = NOW if expected == timedelta(hours=1) and found.error is None else found.finished_at
    assert when == (None if expected is None else base + expected)


def test_a_blocked_plan_says_how_to_release_it() -> None:
    found = findings(violations=BLOCK)
    assert report.verdict(assignment(), found).message == "maxRemovals: too many"


def test_an_approval_is_handled_only_by_a_run_that_judged() -> None:
    approving = replace(assignment(), approval="sha256:a")
    judged, not_judged = findings(), Findings(error=SourceFailed(""), finished_at=NOW)

    assert report.reported(approving, judged, SegmentActivationStatus()).last_handled_approval == "sha256:a"
    assert report.reported(approving, not_judged, SegmentActivationStatus()).last_handled_approval is None


@pytest.mark.parametrize("is_claimed", [True, False])
def test_the_status_tells_of_the_former_ledger_until_the_new_one_is_claimed(is_claimed: bool) -> None:
    before = SegmentActivationStatus(ledger=LedgerRef(url="file:///former", version=3))
    found = findings()
    found.ledger = LedgerRef(url="file:///new", version=1, mark="1-a") if is_claimed else None
    found.former = None if is_claimed else FormerTarget(target="label old", members=4, ledger=before.ledger)

    after = report.reported(assignment(), found, before)

    assert after.ledger is not None
    assert after.ledger.url == ("file:///new" if is_claimed else "file:///former")
    assert after.former_target == found.former
