"""Who of a batch is really sent: where people decide for themselves, each contact is looked at first."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from voyado_operator.domain.consent import opts_out
from voyado_operator.domain.contact import Contact
from voyado_operator.domain.delivery import CONTACT_GONE, Operation, Outcome, Result
from voyado_operator.domain.errors import RunError
from voyado_operator.reconcile.ports import Target
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Detail, Lot, Workspace


def nothing_ends() -> None:
    """For what holds nothing."""


@dataclass(slots=True)
class Screened:
    """What becomes of a batch before anything is sent.

    `outcomes` are of contacts that are not sent; `stopped` says why the others are in none of the lists. Nothing that
    is known of the contacts is older than `since`. So many are left to `later` runs. `decided`: when the rows say that
    the persons decided. `end` is to be called when the batch has been sent.
    """

    send: Sequence[str] = ()
    adopted: list[str] = field(default_factory=list)
    declined: list[str] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)
    later: int = 0
    decided: Mapping[str, datetime] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: RunError | None = None
    since: datetime | None = None
    end: Callable[[], None] = nothing_ends


Screen = Callable[[Operation, Lot, Sequence[str]], Awaitable[Screened]]


async def everybody(_: Operation, __: Lot, contact_ids: Sequence[str]) -> Screened:
    """A label is no decision of the person's."""
    return Screened(send=contact_ids)


@dataclass(frozen=True, slots=True)
class Departures:
    """Screens leaving contacts of a preference or consent: whoever may never have been sent anything is looked at."""

    target: Target

    async def __call__(self, operation: Operation, lot: Lot, contact_ids: Sequence[str]) -> Screened:
        entering, leaving = self.target.facet(Operation.ADD), self.target.facet(operation)
        if lot is Lot.MEMBERS or entering is None or leaving is None:
            return Screened(send=contact_ids)
        reading = await self.target.read(contact_ids)
        send, adopted = list[str](), list[str]()
        for contact_id, contact in reading.contacts.items():
            (send if opts_out(entering, leaving, contact) else adopted).append(contact_id)
        screened = Screened(send, adopted, stopped=reading.stopped)
        for unseen in reading.unseen:
            if unseen.detail == CONTACT_GONE:
                screened.adopted.append(unseen.contact_id)
            else:
                screened.outcomes.append(unseen)
        return screened


@dataclass(frozen=True, slots=True)
class Addresses:
    """Whom an e-mail address was matched to must still have it; `moved` is told the hashes of those that have not."""

    workspace: Workspace
    moved: Callable[[Sequence[str]], None]

    def are_anothers(self, contact: Contact, detail: Detail) -> bool:
        if not detail.addresses:
            return False
        if contact.address is not None and self.workspace.address_hash(contact.address) in detail.addresses:
            return False
        self.moved(detail.addresses)
        return True


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Screens contacts that are to be told no: only those that an address was matched to are looked at."""

    target: Target
    workspace: Workspace
    worker: Worker
    addresses: Addresses

    async def screened(self, contact_ids: Sequence[str]) -> Screened:
        details = await self.worker(self.workspace.details, contact_ids)
        reading = await self.target.read([one for one in contact_ids if details[one].addresses])
        screened = Screened(outcomes=list(reading.unseen), stopped=reading.stopped, decided=decided(details))
        send = [one for one in contact_ids if not details[one].addresses]
        for contact_id, contact in reading.contacts.items():
            if self.addresses.are_anothers(contact, details[contact_id]):
                screened.outcomes.append(Outcome(contact_id, Result.REJECTED, "AddressChanged"))
            else:
                send.append(contact_id)
        screened.send = send
        return screened


def decided(details: Mapping[str, Detail]) -> dict[str, datetime]:
    """When the persons decided, where their rows say so."""
    return {one: detail.decided_at for one, detail in details.items() if detail.decided_at is not None}


@dataclass(frozen=True, slots=True)
class Decisions:
    """Screens contacts of a preference or consent; `entering` those that enter it."""

    target: Target
    entering: Callable[[Sequence[str]], Awaitable[Screened]]

    async def __call__(self, operation: Operation, lot: Lot, contact_ids: Sequence[str]) -> Screened:
        if operation is Operation.REMOVE or self.target.facet(operation) is None:
            return await Departures(self.target)(operation, lot, contact_ids)
        return await self.entering(contact_ids)
