"""Who of a batch is really sent: where people decide for themselves, each contact is looked at first."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from voyado_operator.domain.consent import Evidence, Intent, OptIn, opt_in, opts_out
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import CONTACT_GONE, UNANSWERED, Operation, Outcome, Result
from voyado_operator.domain.errors import RunError
from voyado_operator.domain.forgetting import Forgotten
from voyado_operator.reconcile.ports import Suppression, Target
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Detail, Lot, Workspace


@dataclass(slots=True)
class Screened:
    """What becomes of a batch before anything is sent.

    `witnesses` tell whether those to be sent are changed by somebody else later; `outcomes` are of contacts that are
    not sent; `stopped` says why the others are in none of the lists.
    """

    send: Sequence[str] = ()
    adopted: list[str] = field(default_factory=list)
    declined: dict[str, datetime | None] = field(default_factory=dict)
    witnesses: dict[str, str | None] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: RunError | None = None


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
class Decisions:
    """Screens entering contacts of a preference or consent (DESIGN 4, opt-in).

    An opt-in needs a look at what Engage shows. Whom an e-mail address was matched to must still have that address;
    `moved` is told the hashes of those that have not. While a lost ledger `is_baselining`, nobody is opted in.
    """

    target: Target
    workspace: Workspace
    worker: Worker
    lost_at: datetime | None
    is_baselining: bool
    moved: Callable[[Sequence[str]], None]
    suppression: Suppression

    async def __call__(self, operation: Operation, lot: Lot, contact_ids: Sequence[str]) -> Screened:
        facet = self.target.facet(operation)
        if operation is Operation.REMOVE or facet is None:
            return await Departures(self.target)(operation, lot, contact_ids)
        details = await self.worker(self.workspace.details, contact_ids)
        unread = [one for one in contact_ids if not facet.value and not details[one].addresses]
        reading = await self.target.read([one for one in contact_ids if facet.value or details[one].addresses])
        screened = Screened(outcomes=list(reading.unseen), stopped=reading.stopped)
        forgotten = Forgotten()
        if (
            facet.value
        ):  # after the look, which may have waited for its turn: somebody may have been forgotten meanwhile
            forgotten = await self.worker(self.suppression.forgotten, list(reading.contacts))
        seen = reading.contacts.items()
        sent = [one for one, contact in seen if self._judge(screened, one, contact, facet, details[one], forgotten)]
        screened.send = [*unread, *sent]
        return screened

    def _judge(
        self,
        screened: Screened,
        contact_id: str,
        contact: Contact,
        facet: Facet,
        detail: Detail,
        forgotten: Forgotten,
    ) -> bool:
        """Return whether the contact is to be sent; what else becomes of it goes into `screened`."""
        if detail.addresses and not self._has_one_of(contact, detail.addresses):
            self.moved(detail.addresses)
            screened.outcomes.append(Outcome(contact_id, Result.REJECTED, "AddressChanged"))
            return False
        if not facet.value:
            return True
        forgotten_at = forgotten.at(contact_id, contact.created, detail.entry)
        judged = opt_in(facet, contact, self._evidence(detail, forgotten_at))
        match OptIn.DECLINE if self.is_baselining and judged is OptIn.WRITE else judged:
            case OptIn.ADOPT:
                screened.adopted.append(contact_id)
            case OptIn.DECLINE:
                screened.declined[contact_id] = detail.decided_at
            case OptIn.UNREADABLE:
                screened.outcomes.append(Outcome(contact_id, Result.REJECTED, "NotShown"))
            case OptIn.WRITE:
                if facet.kind == "preference":  # a consent has a date of its own, which tells as much
                    screened.witnesses[contact_id] = contact.modified
                return True
        return False

    def _has_one_of(self, contact: Contact, addresses: Sequence[str]) -> bool:
        return contact.address is not None and self.workspace.address_hash(contact.address) in addresses

    def _evidence(self, detail: Detail, forgotten_at: datetime | None) -> Evidence:
        is_asked = detail.entry in UNANSWERED
        asked = Intent(detail.entered_at, detail.witness) if is_asked and detail.entered_at else None
        return Evidence(detail.decided_at, detail.entry, detail.entered_at, asked, self.lost_at, forgotten_at)
