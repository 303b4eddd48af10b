"""What the run needs of the outside, each as small as its use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from voyado_operator.api.common import Kind, Metadata, ObjectKey
from voyado_operator.arrow import ArrowStream
from voyado_operator.domain.consent import Judge
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import Entry, Operation, Outcome, Parking
from voyado_operator.domain.errors import RunError
from voyado_operator.domain.matching import Match, MatchStatus
from voyado_operator.domain.plan import WaitingPlan
from voyado_operator.domain.standing import Standing
from voyado_operator.domain.target import Capability, Mode


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
    def owner(self) -> str: ...

    @property
    def target(self) -> dict[str, str]: ...

    def describe(self, owner: str, target: Mapping[str, str]) -> None: ...

    def claim(self) -> None: ...

    def fence(self) -> None:
        """Raise LedgerUnavailable if anybody else has written since it was opened; after it, whoever did so before."""
        ...

    def mark_lost(self, at: datetime, replaces: int | None) -> None: ...

    @property
    def replaces(self) -> int | None:
        """The version of the lost ledger in whose place this one is, as the status knew it."""
        ...

    @property
    def is_baselining(self) -> bool: ...

    def inherit(self, former: Any, at: datetime) -> None: ...

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
    def lost_at(self) -> datetime | None:
        """When it was found that an earlier ledger of this target is gone, if ever."""
        ...

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
        witnesses: Mapping[str, str | None] | None = None,
    ) -> None: ...

    def commit(self) -> int:
        """Returns how many members more that makes."""
        ...


class Parked(Protocol):
    """Refused changes beside a ledger. Blocking; every method raises LedgerUnavailable."""

    def items(self) -> ArrowStream | None: ...

    def park(self, operation: Operation, parked: Mapping[str, Parking], generation: int, at: datetime) -> None: ...


class Identities(Protocol):
    """Remembered matches of one tenant and contact type. Blocking; every method raises LedgerUnavailable."""

    def remembered(self) -> ArrowStream: ...

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

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None: ...

    async def exists(self, kind: Kind, key: ObjectKey) -> bool: ...

    async def add_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None: ...

    async def remove_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None: ...

    async def secret(self, field: str, namespace: str, name: str, key: str) -> str:
        """The value of a Secret's key; `field` is where the manifest names it. Raises CredentialsInvalid."""
        ...

    async def event(self, kind: Kind, metadata: Metadata, severity: str, reason: str, message: str) -> None: ...
