"""What the run needs of the outside, each as small as its use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from voyado_operator.api.activation_status import LedgerRef
from voyado_operator.api.common import Kind, Metadata, ObjectKey
from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.batches import Announced, Batch
from voyado_operator.domain.consent import Judge
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import Entry, Operation, Outcome, Parking
from voyado_operator.domain.errors import RunError
from voyado_operator.domain.forgetting import Forgotten
from voyado_operator.domain.ledger_info import NOBODY, LedgerInfo, Succession
from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.domain.standing import Standing
from voyado_operator.domain.target import Capability, Mode, Side
from voyado_operator.reconcile.batch_ports import Journal


class Source(Protocol):
    """Where an audience comes from. Blocking: used from a worker thread."""

    def read(self) -> AbstractContextManager[ArrowStream]:
        """Open the audience as a stream of Arrow batches.

        Raises SourceFailed when opening fails, and turns into it whatever is raised while the stream is consumed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a batch: whom Engage `accepted`, and one outcome for each other that was, or may have been, sent.

    `stopped` says why the rest was not sent: CredentialsInvalid or EngageUnavailable. Contacts that were read right
    before are `adopted` if Engage showed them as wished already, and `declined` if it showed the person's own no.
    """

    accepted: Sequence[str] = ()
    others: list[Outcome] = field(default_factory=list)
    stopped: RunError | None = None
    adopted: Sequence[str] = ()
    declined: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The contacts that Engage shows, and an outcome for each that it does not.

    `stopped` says why some are in neither: CredentialsInvalid or EngageUnavailable.
    """

    contacts: dict[str, Contact]
    unseen: list[Outcome]
    stopped: RunError | None = None


Tell = Callable[[], None]


def nobody_waits() -> None:
    """Until all is handed in."""


class Target(Protocol):
    """The label, preference or consent that membership drives."""

    @property
    def batch_size(self) -> int:
        """How many contacts one `apply` may carry: a few seconds' work, as the ledger is written after each."""
        ...

    async def check(self) -> None:
        """Raise TargetNotFound when the target does not exist in Engage, as far as that can be known."""
        ...

    @property
    def is_repeat_safe(self) -> bool:
        """Whether a change may be sent twice."""
        ...

    def capability(self, operation: Operation, contacts: int) -> Capability | None:
        """What has to be proven before `operation` is done to so many; None: nothing that a look could prove."""
        ...

    def facet(self, operation: Operation) -> Facet | None:
        """What a contact shows once `operation` is done to it; None: nothing that can be seen."""
        ...

    async def read(self, contact_ids: Sequence[str]) -> Reading:
        """Look at the contacts."""
        ...

    async def apply(
        self, operation: Operation, contact_ids: Sequence[str], handed_in: Tell = nobody_waits
    ) -> Delivered:
        """Do `operation` to the contacts, in the mode that suits their number. Never raises for what Engage answers.

        `handed_in` is called when Engage has taken all of them, if what became of them is told only later.
        """
        ...

    async def apply_as(self, mode: Mode, operation: Operation, contact_ids: Sequence[str]) -> Delivered:
        """As `apply`, in this mode."""
        ...

    def remembering(self, journal: Journal) -> "Target":
        """The same target, whose `apply` and `apply_as` tell `journal` of their batches."""
        ...

    async def fate(
        self, operation: Operation, contact_ids: Sequence[str], batches: Sequence[Batch]
    ) -> Delivered | None:
        """Return what became of contacts that an earlier run sent in these batches; None while Engage works on one.

        Raises CredentialsInvalid.
        """
        ...

    def judged_by(self, judge: Judge) -> "Target":
        """The target that writes a person's yes only as `judge` says of the contact, read right before."""
        ...

    async def restore(self, contact_id: str, changes: dict[str, Any]) -> None:
        """Write what undoes a change that did harm. Raises CredentialsInvalid or EngageUnavailable."""
        ...


class Directory(Protocol):
    """Finds contacts by e-mail address."""

    async def find(self, address: str) -> tuple[MatchStatus, tuple[str, ...]]:
        """Raises CredentialsInvalid or EngageUnavailable; neither holds the address."""
        ...


class Ledger(Protocol):
    """The acknowledged membership of one target. Blocking; every method raises LedgerUnavailable."""

    @property
    def url(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def info(self) -> LedgerInfo: ...

    def take_side(self, side: Side) -> None:
        """From now on read and write as this side."""
        ...

    def reference(self) -> LedgerRef:
        """What a status keeps of the ledger as it is now."""
        ...

    def is_vouched_for(self, reference: LedgerRef) -> bool:
        """Whether this is the ledger that the reference tells of, or what our own runs made of it since."""
        ...

    def claim(self, succession: Succession = NOBODY) -> None:
        """Commit that a run is about to send; the owners whom it succeeds are none any more."""
        ...

    @property
    def has_claimed(self) -> bool:
        """Whether `claim` was called, and its commit went through."""
        ...

    def fence(self) -> None:
        """Raise LedgerUnavailable if anybody else has written since it was opened; after it, whoever did so before."""
        ...

    def start_anew(self, at: datetime, members: int = 0) -> None:
        """Commit that the ledger was found lost, which had so many members as far as is known."""
        ...

    def release(self) -> None:
        """Commit that this owner sends nothing more."""
        ...

    def remember_elsewhere(self, reference: LedgerRef) -> None:
        """Commit what a status would keep of a ledger that this owner has left for this one."""
        ...

    @property
    def decisions_seen(self) -> dict[str, Any] | None: ...

    def see_decisions(self, seen: Mapping[str, Any]) -> None: ...

    def remember(self, fingerprint: str, members: int) -> None: ...

    def members_of(self, fingerprint: str) -> int | None:
        """How many there are, if they are known to be exactly the audience with this fingerprint."""
        ...

    def mark_baselined(self) -> None: ...

    def standing(self) -> Standing: ...

    def earlier(self) -> ArrowStream: ...

    def decisions(self) -> ArrowStream: ...

    def sample(self, size: int) -> list[str]: ...

    @property
    def is_empty(self) -> bool: ...

    def found(self) -> None: ...

    def compact(self, at: datetime) -> None: ...

    def sent(self, operation: Operation, since: datetime) -> ArrowStream: ...

    def peak(self, since: datetime, members: int) -> int: ...

    def note(
        self,
        entry: Entry,
        contact_ids: Sequence[str],
        at: datetime,
        approval: str | None = None,
        decided: Mapping[str, datetime | None] | None = None,
    ) -> None: ...

    def commit(self) -> int:
        """Returns how many members more that makes."""
        ...

    def announced(self, operation: Operation, at: datetime) -> Announced:
        """Return the contacts that were announced at that moment and have no outcome."""
        ...

    def announcements(self, since: datetime) -> list[Batch]:
        """Return each announcement at or after `since` that is the latest entry of some contacts."""
        ...


class Share(Protocol):
    """A run's share of a ledger, beside which nothing is erased from it. Never waits; raises LedgerUnavailable."""

    @property
    def latest_erasure(self) -> bytes:
        """What the latest erasure from the ledger has left, as of when the share was taken."""
        ...

    @property
    def is_wanted(self) -> bool:
        """Whether an erasure waits for the run to end."""
        ...

    def try_take(self) -> bool:
        """Return whether the share is held now. False: an erasure has the ledger, or waits for it."""
        ...

    def release(self) -> None: ...


class Suppression(Protocol):
    """Who was forgotten. Blocking; raises LedgerUnavailable."""

    def forgotten(self, contact_ids: Sequence[str]) -> Forgotten: ...


class Parked(Protocol):
    """Refused changes beside a ledger. Blocking; every method raises LedgerUnavailable."""

    def items(self) -> ArrowStream | None: ...

    def park(self, operation: Operation, parked: Mapping[str, Parking], generation: int, at: datetime) -> None: ...


class Identities(Protocol):
    """Remembered matches of one tenant and contact type. Blocking; every method raises LedgerUnavailable."""

    def remembered(self) -> AbstractContextManager[ArrowStream]: ...

    def remember(self, answers: Iterable[tuple[Match, datetime]], now: datetime) -> None: ...


class WaitingPlans(Protocol):
    """The blocked plan beside a ledger. Blocking; every method raises LedgerUnavailable."""

    def load(self) -> WaitingPlan | None: ...

    def changes(self) -> ArrowStream: ...

    def store(self, plan: WaitingPlan, changes: ArrowStream) -> None: ...

    def mark_approved(self) -> None: ...

    def drop(self) -> None: ...


class Engage(Directory, Protocol):
    """One tenant, for one run or probe. Raises CredentialsInvalid or EngageUnavailable."""

    @property
    def requests(self) -> int:
        """HTTP requests made so far."""
        ...

    @property
    def rate(self) -> float:
        """Requests per second in force, after back-pressure."""
        ...

    def time(self) -> datetime | None:
        """What time it is where Engage is; None until it has answered."""
        ...

    async def count(self) -> int | None:
        """How many contacts of the contact type there are; None where the tenant does not say."""
        ...

    async def consents(self) -> list[tuple[str, str]]:
        """Id and name of the tenant's consent definitions."""
        ...


class Cluster(Protocol):
    """The API server."""

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        """Raises ServedElsewhere."""
        ...

    async def is_another_alive(self, installation: str) -> bool:
        """Whether that installation is not this one, and may be at work."""
        ...

    async def hand_over(self, kind: Kind, metadata: Metadata, installation: str) -> None:
        """Let that installation serve the object, if this one does."""
        ...

    async def exists(self, kind: Kind, key: ObjectKey) -> bool: ...

    async def add_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None: ...

    async def remove_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None: ...

    async def secret(self, field: str, namespace: str, name: str, key: str) -> str:
        """The value of a Secret's key; `field` is where the manifest names it. Raises CredentialsInvalid."""
        ...

    async def event(self, kind: Kind, metadata: Metadata, severity: str, reason: str, message: str) -> None: ...
