"""The status of a SegmentActivation: what the operator found and did."""

from typing import Annotated, Literal

from pydantic import Field

from voyado_operator.api.common import Conditions, Moment, Resource

MOST_OF_A_NAME = 63
Hash = Annotated[str, Field(max_length=80)]
Text = Annotated[str, Field(max_length=2048)]
Outcome = Literal["Succeeded", "Partial", "Planned", "Blocked", "Failed"]


class Sample(Resource):
    """Keyed hashes of a few contacts, never ids."""

    entering: Annotated[list[Hash], Field(max_length=10)] = Field(default_factory=list)
    leaving: Annotated[list[Hash], Field(max_length=10)] = Field(default_factory=list)


class Diff(Resource):
    """The membership diff of the latest run."""

    computed_at: Moment
    entering: int
    leaving: int
    unchanged: int
    digest: Hash
    sample: Sample = Sample()


class BlockedBy(Resource):
    """A guard that blocks, and why."""

    guard: Annotated[str, Field(max_length=64)]
    message: Text


class WaitingPlan(Resource):
    """A plan that waits for a person."""

    digest: Hash
    entering: int
    leaving: int
    blocked_by: Annotated[list[BlockedBy], Field(max_length=10)]
    created_at: Moment
    expires_at: Moment


class Progress(Resource):
    """How far a run is; only while one is on."""

    phase: Annotated[str, Field(max_length=32)]
    done: int
    total: int


class LastRun(Resource):
    """The latest run in numbers; sent = accepted + rejected + unknown."""

    id: Annotated[str, Field(max_length=64)]
    outcome: Outcome
    started_at: Moment
    finished_at: Moment
    audience: int = 0
    invalid: int = 0
    duplicates: int = 0
    matched: int = 0
    unmatched: int = 0
    ambiguous: int = 0
    entering: int = 0
    leaving: int = 0
    accepted: int = 0
    adopted: int = 0
    declined: int = 0
    rejected: int = 0
    unknown: int = 0
    requests: int = 0
    message: Text | None = None


class LastSuccessfulRun(Resource):
    """The latest run that ended Succeeded."""

    id: Annotated[str, Field(max_length=64)]
    finished_at: Moment


class HistoryEntry(Resource):
    """An earlier run, in short.

    `waits_for` are up to two of the guards that kept a plan waiting after it, `approved_by` who let it go out.
    """

    id: Annotated[str, Field(max_length=64)]
    outcome: Outcome
    finished_at: Moment
    entering: int
    leaving: int
    accepted: int
    rejected: int
    waits_for: Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=2)] | None = None
    approved_by: Annotated[str, Field(max_length=MOST_OF_A_NAME)] | None = None


class LedgerRef(Resource):
    """Where the acknowledged membership is kept, and what tells this ledger from every copy of it."""

    url: Annotated[str, Field(max_length=1024)]
    id: Annotated[str, Field(max_length=64)] | None = None
    version: int
    mark: Annotated[str, Field(max_length=64)] | None = None


class FormerTarget(Resource):
    """The target that an edit left, until its members are taken off it or left behind."""

    target: Annotated[str, Field(max_length=512)]
    members: int
    ledger: LedgerRef


class SegmentActivationStatus(Resource):
    """What the operator found and did."""

    observed_generation: int = -1
    conditions: Conditions = Field(default_factory=list)
    members: int | None = None
    diff: Diff | None = None
    plan: WaitingPlan | None = None
    progress: Progress | None = None
    last_run: LastRun | None = None
    last_successful_run: LastSuccessfulRun | None = None
    history: Annotated[list[HistoryEntry], Field(max_length=100)] | None = None
    ledger: LedgerRef | None = None
    former_target: FormerTarget | None = None
    served_by: Annotated[str, Field(max_length=320)] | None = None
    next_run_time: Moment | None = None
    last_handled_reconcile_at: Annotated[str, Field(max_length=256)] | None = None
    last_handled_plan_at: Annotated[str, Field(max_length=256)] | None = None
    last_handled_approval: Annotated[str, Field(max_length=256)] | None = None

    @property
    def claimed(self) -> LedgerRef | None:
        """The ledger, if something was or may have been sent on its account."""
        return self.ledger if self.ledger is not None and self.ledger.mark else None
