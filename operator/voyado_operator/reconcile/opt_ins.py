"""Who is opted in: what our own records allow is announced, then each contact is looked at and written at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from voyado_operator.domain.consent import NOT_WRITTEN, Evidence, OptIn, may_opt_in, opt_in
from voyado_operator.domain.contact import Contact, Facet
from voyado_operator.domain.delivery import UNANSWERED, Entry, Outcome, Result
from voyado_operator.domain.forgetting import Forgotten
from voyado_operator.reconcile.ports import Suppression, Target
from voyado_operator.reconcile.screening import Addresses, Screened, decided
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Detail, Workspace


@dataclass(frozen=True, slots=True)
class OptIns:
    """Screens the batches of an opt-in, and judges each of their contacts when it is looked at (DESIGN 4).

    While a lost ledger `is_baselining`, nobody is opted in. `is_unproven`: a first change is still to be tried, for
    which contacts that are opted in already are no use, so that a whole batch is looked at before.
    """

    target: Target
    facet: Facet
    workspace: Workspace
    worker: Worker
    clock: Callable[[], datetime]
    addresses: Addresses
    lost_at: datetime | None
    is_baselining: bool
    is_unproven: Callable[[int], bool]
    suppression: Suppression
    _forgotten: dict[str, Forgotten] = field(default_factory=dict)
    _details: dict[str, Detail] = field(default_factory=dict)

    async def screened(self, contact_ids: Sequence[str]) -> Screened:
        """Look at those whom nothing is written for, or who may have been written already: what was asked before must
        not be announced again without a look, or a no that came since then would seem older than the announcement.
        """
        since = self.clock()
        details = await self.worker(self.workspace.details, contact_ids)
        self._details.update(details)
        forgotten = await self.worker(self.suppression.forgotten, contact_ids)
        self._forgotten.update(dict.fromkeys(contact_ids, forgotten))
        is_unproven = self.is_unproven(len(contact_ids))
        looked_at = [one for one in contact_ids if is_unproven or not self._may_be_sent_unseen(one)]
        reading = await self.target.read(looked_at)
        screened = Screened(
            decided=decided(details),
            outcomes=list(reading.unseen),
            stopped=reading.stopped,
            since=since,
            end=lambda: self._forget(contact_ids),
        )
        right = [one for one, contact in reading.contacts.items() if self._is_right(screened, one, contact)]
        is_looked_at = set(looked_at)
        screened.send = [*right, *(one for one in contact_ids if one not in is_looked_at)]
        return screened

    def judge(self, contact_id: str, contact: Contact) -> OptIn:
        """What becomes of a contact of a batch that is being sent, by what Engage shows of it now."""
        detail = self._details[contact_id]
        if self.addresses.are_anothers(contact, detail):
            return OptIn.MOVED
        judged = opt_in(self.facet, contact, self._evidence(contact_id, contact.created))
        return OptIn.LATER if self.is_baselining and judged is OptIn.WRITE else judged

    def _may_be_sent_unseen(self, contact_id: str) -> bool:
        is_asked, evidence = self._details[contact_id].entry in UNANSWERED, self._evidence(contact_id, None)
        is_known = not self.is_baselining and not is_asked and evidence.forgotten_at is None
        return is_known and may_opt_in(self.facet, evidence)

    def _is_right(self, screened: Screened, contact_id: str, contact: Contact) -> bool:
        """What becomes of a contact that is not written goes into `screened`."""
        match self.judge(contact_id, contact):
            case OptIn.WRITE:
                return True
            case OptIn.ADOPT:
                screened.adopted.append(contact_id)
            case OptIn.DECLINE:
                screened.declined.append(contact_id)
            case OptIn.DOUBT:
                screened.doubted.append(contact_id)
            case OptIn.LATER:
                screened.later += 1
            case refused:
                screened.outcomes.append(Outcome(contact_id, Result.REJECTED, NOT_WRITTEN[refused]))
        return False

    def _evidence(self, contact_id: str, created: datetime | None) -> Evidence:
        detail = self._details[contact_id]
        forgotten_at = self._forgotten[contact_id].at(contact_id, created, detail.entry)
        if detail.entry is Entry.DOUBTED:  # it is held, unless the person decided since, or somebody approved it
            return Evidence(detail.decided_at, forgotten_at=forgotten_at)
        return Evidence(detail.decided_at, detail.entry, detail.entered_at, self.lost_at, forgotten_at)

    def _forget(self, contact_ids: Sequence[str]) -> None:
        for one in contact_ids:
            self._details.pop(one, None)
            self._forgotten.pop(one, None)
