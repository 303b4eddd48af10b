"""What a run is about, and what it has found so far: filled step by step, so that a run that fails still reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import FormerTarget, LedgerRef
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.decisions import DecisionColumn
from voyado_operator.domain.delivery import Account, Operation, Result
from voyado_operator.domain.errors import CredentialsInvalid, RunError, SecretMissing
from voyado_operator.domain.guards import Violation
from voyado_operator.domain.plan import AudienceCounts, DiffCounts, WaitingPlan
from voyado_operator.domain.target import Side, TargetIdentity


class Intent(StrEnum):
    """Whether the run may write to Engage."""

    ENFORCE = "Enforce"
    PLAN = "Plan"


class Outcome(StrEnum):
    """How a run ended, as in status.lastRun.outcome."""

    SUCCEEDED = "Succeeded"
    PARTIAL = "Partial"
    PLANNED = "Planned"
    BLOCKED = "Blocked"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One run, as it was when it began.

    `side` is as whom it drives the target. `approval` is the digest that a person approves, if not handled before;
    `former_ledger`, `former_target` and `former_members` are what the status says of them.
    """

    run_id: str
    started_at: datetime
    intent: Intent
    activation: SegmentActivation
    connection: VoyadoConnection
    identity: TargetIdentity
    side: Side
    approval: str | None
    former_ledger: LedgerRef | None
    former_target: FormerTarget | None = None
    former_members: int | None = None

    @property
    def is_on_the_side(self) -> bool:
        """A plan that was asked for while the activation enforces: it tells, and changes nothing else."""
        return self.intent is Intent.PLAN and self.activation.spec.mode == "Enforce"

    @property
    def withdraws(self) -> bool:
        """Whoever is left on the target is taken off it."""
        return self.activation.spec.deletion_policy == "Withdraw"

    @property
    def entering_opts_out(self) -> bool:
        """Entering the target writes a person's "no"."""
        return self.identity.on_enter == "Decline"

    @property
    def is_a_decision(self) -> bool:
        """The target is a preference or consent: a person's own word."""
        return self.identity.kind != "label"

    @property
    def entering_opts_in(self) -> bool:
        """Entering the target writes a person's "yes"."""
        return self.identity.on_enter == "Accept"

    @property
    def review_was_due(self) -> date | None:
        """The day of governance.reviewBy, once it is over (UTC)."""
        governance = self.activation.spec.governance
        due = governance.review_by if governance else None
        return due if due is not None and self.started_at.date() > due else None

    @property
    def order(self) -> Sequence[Operation]:
        """Opt-outs first, then removals, then additions."""
        removals_first = (Operation.REMOVE, Operation.ADD)
        return (Operation.ADD, Operation.REMOVE) if self.entering_opts_out else removals_first


@dataclass(frozen=True, slots=True)
class DiffFound:
    """The membership diff with its digest and at most 10 keyed hashes each, and the audience's fingerprint.

    Of the changes, `parked` were refused lately and `unanswered` may have been sent already; `declined_before` contacts
    of the audience are not in the diff, as Engage showed their own no; `doubted_before` are held, as they
    may have said no to a ledger that was lost.
    """

    computed_at: datetime
    counts: DiffCounts
    fingerprint: str
    digest: str
    entering: list[str]
    leaving: list[str]
    parked: Mapping[Operation, int] = field(default_factory=dict)
    declined_before: int = 0
    doubted_before: int = 0
    unanswered: int = 0


@dataclass(slots=True)
class DriftFound:
    """Of `read` members, `differing` did not show what the ledger says; `corrected` of these do again."""

    read: int
    differing: int
    corrected: int = 0

    @property
    def ratio(self) -> float:
        return self.differing / self.read if self.read else 0.0


@dataclass(slots=True)
class Findings:
    """`held` counts changes that a guard keeps back; `waiting` is the plan that waits for a person after this run.

    `is_judged` says that the guards were asked; `released` that an approved plan, or what the diff still has of it,
    went out although a guard blocks. `gone` counts members whom Engage knows no more. `former` is the target that an
    edit left, as long as it is not left altogether; `left_behind` counts contacts that stay on it against the wish. Of
    bulk updates of earlier runs, `settled` counts contacts whose outcome is known now, and `under_way` changes that
    wait for one. `gave_way`: the run ended between two batches, so that a contact could be erased. `clock_ahead` is by
    how much Engage's clock is ahead, where that is too much to compare decisions, for which `held_by_clock` opt-ins
    wait.
    """

    audience: AudienceCounts | None = None
    diff: DiffFound | None = None
    violations: tuple[Violation, ...] = ()
    held: int = 0
    released: bool = False
    is_judged: bool = False
    waiting: WaitingPlan | None = None
    account: Account = field(default_factory=Account)
    ledger: LedgerRef | None = None
    former: FormerTarget | None = None
    left_behind: int = 0
    drift: DriftFound | None = None
    gone: int = 0
    settled: int = 0
    under_way: int = 0
    decisions: DecisionColumn = field(default_factory=DecisionColumn)
    clock_ahead: timedelta | None = None
    held_by_clock: int = 0
    is_baselining: bool = False
    gave_way: bool = False
    requests: int = 0
    error: RunError | None = None
    finished_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    notices: list[tuple[str, str, str]] = field(default_factory=list)

    def announce(self, severity: str, reason: str, message: str) -> None:
        """Leave an Event to be posted."""
        self.notices.append((severity, reason, message))

    @property
    def members(self) -> int | None:
        """Contacts that Engage acknowledged as members, after what was acknowledged in this run."""
        if self.diff is None:
            return None
        return self.diff.counts.members + self.account.membership - self.gone

    @property
    def is_level(self) -> bool:
        """Whether the audience is exactly the ledger's members now: everything of the diff is acknowledged."""
        if self.audience is None or self.diff is None:
            return False
        changes = self.diff.counts.entering + self.diff.counts.leaving + self.diff.declined_before
        acknowledged = self.account.total(Result.ACCEPTED) + self.account.adopted
        return changes == acknowledged and self.members == self.audience.contacts

    @property
    def is_blocked(self) -> bool:
        """Whether something waits for a person."""
        return bool(self.violations) and (self.held > 0 or not self.released)

    def outcome(self, intent: Intent) -> Outcome:
        if self.error:
            return Outcome.FAILED
        if intent is Intent.PLAN:
            return Outcome.PLANNED
        if self.is_blocked:
            return Outcome.BLOCKED
        return Outcome.PARTIAL if self.is_unsettled or self.refused or self.former else Outcome.SUCCEEDED

    @property
    def key_was_refused(self) -> bool:
        """Engage does not take the API key, which the Secret has."""
        return isinstance(self.error, CredentialsInvalid) and not isinstance(self.error, SecretMissing)

    @property
    def refused(self) -> int:
        """Contacts that Engage refused, now or lately: they are parked."""
        parked = sum(self.diff.parked.values()) if self.diff else 0
        return parked + self.account.total(Result.REJECTED)

    @property
    def is_unsettled(self) -> bool:
        """Whether the next run has to ask or send something again."""
        pending = self.audience.pending if self.audience else 0
        is_left = self.account.total(Result.UNKNOWN) or self.account.unparked
        is_put_off = self.under_way or self.gave_way or self.held_by_clock or self.account.doubted or self.account.later
        return bool(pending or is_put_off or is_left)
