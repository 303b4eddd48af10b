"""What a run is about, and what it has found so far: filled step by step, so that a run that fails still reports."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.delivery import Account, Operation, Result
from voyado_operator.domain.errors import RunError
from voyado_operator.domain.guards import Violation
from voyado_operator.domain.plan import AudienceCounts, DiffCounts, WaitingPlan
from voyado_operator.domain.target import TargetIdentity


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

    `approval` is the digest that a person approves, if not handled before; `former_ledger` the URL that the status has.
    """

    run_id: str
    started_at: datetime
    intent: Intent
    activation: SegmentActivation
    connection: VoyadoConnection
    identity: TargetIdentity
    approval: str | None
    former_ledger: str | None

    @property
    def is_on_the_side(self) -> bool:
        """A plan that was asked for while the activation enforces: it tells, and changes nothing else."""
        return self.intent is Intent.PLAN and self.activation.spec.mode == "Enforce"

    @property
    def entering_opts_out(self) -> bool:
        """Entering the target writes a person's "no"."""
        return self.identity.on_enter == "Decline"

    @property
    def order(self) -> Sequence[Operation]:
        """Opt-outs first, then removals, then additions."""
        removals_first = (Operation.REMOVE, Operation.ADD)
        return (Operation.ADD, Operation.REMOVE) if self.entering_opts_out else removals_first


@dataclass(frozen=True, slots=True)
class DiffFound:
    """The membership diff with its digest and at most 10 keyed hashes each."""

    computed_at: datetime
    counts: DiffCounts
    digest: str
    entering: list[str]
    leaving: list[str]


@dataclass(slots=True)
class Findings:
    """`held` counts changes that a guard keeps back; `waiting` is the plan that waits for a person after this run.

    `is_judged` says that the guards were asked; `released` that an approved plan, or what the diff still has of it,
    went out although a guard blocks.
    """

    audience: AudienceCounts | None = None
    diff: DiffFound | None = None
    violations: tuple[Violation, ...] = ()
    held: int = 0
    released: bool = False
    is_judged: bool = False
    waiting: WaitingPlan | None = None
    account: Account = field(default_factory=Account)
    ledger: tuple[str, int] | None = None
    requests: int = 0
    error: RunError | None = None
    finished_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    notices: list[tuple[str, str]] = field(default_factory=list)

    def announce(self, reason: str, message: str) -> None:
        """Leave an Event to be posted."""
        self.notices.append((reason, message))

    @property
    def members(self) -> int | None:
        """Contacts that Engage acknowledged as members, after what was acknowledged in this run."""
        if self.diff is None:
            return None
        before = self.diff.counts.unchanged + self.diff.counts.leaving
        accepted = {operation: self.account.counts[operation, Result.ACCEPTED] for operation in Operation}
        return before + accepted[Operation.ADD] - accepted[Operation.REMOVE]

    def outcome(self, intent: Intent) -> Outcome:
        if self.error:
            return Outcome.FAILED
        if intent is Intent.PLAN:
            return Outcome.PLANNED
        if self.violations and (self.held or not self.released):
            return Outcome.BLOCKED
        return Outcome.PARTIAL if self.is_unsettled or self.account.total(Result.REJECTED) else Outcome.SUCCEEDED

    @property
    def is_unsettled(self) -> bool:
        """Whether the next run has to ask or send something again."""
        pending = self.audience.pending if self.audience else 0
        return bool(pending or self.account.total(Result.UNKNOWN))
