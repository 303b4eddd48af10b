"""Bulk updates of earlier runs: what became of them, and whom they may still change.

before the diff  settle()  ask for each; over: record what it did, and look at whom it may have changed back
after the diff   hold()    the opposite of what a batch may still do waits
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from voyado_operator.domain.batches import KEPT, PATIENCE, Announced, Batch, Group, groups, opposite
from voyado_operator.domain.delivery import ADOPTED, CONTACT_GONE, Entry, Operation
from voyado_operator.domain.target import Mode
from voyado_operator.reconcile.batch_ports import RememberedBatches
from voyado_operator.reconcile.own_writes import Writing
from voyado_operator.reconcile.ports import Ledger, Target
from voyado_operator.reconcile.worker import Worker

_MAY_BE_CHANGED_BACK = {Operation.ADD: Entry.ASKED, Operation.REMOVE: Entry.LEAVING}
"""What makes the next diff find a contact that a batch changed after the opposite was done."""


class Waiting(Protocol):
    """The changes of a run, some of which may have to wait."""

    def count_unanswered(self) -> int:
        """How many changes an earlier run may have sent already."""
        ...

    def wait(self, operation: Operation, contact_ids: Sequence[str]) -> int:
        """Keep the operation on these contacts for a later run; return how many changes that are."""
        ...


@dataclass(slots=True)
class EarlierBatches:
    """Of one label. Preferences and consents never go in bulk, so that an opt-out cannot wait here.

    `writing` lets other runs know that what such a batch changes is no harm of theirs.
    """

    target: Target
    ledger: Ledger
    table: RememberedBatches
    worker: Worker
    clock: Callable[[], datetime]
    writing: Writing
    _groups: list[Group] = field(default_factory=list)

    async def settle(self) -> int:
        """Ask for the batches that are not over; return of how many contacts the outcome was recorded.

        Raises CredentialsInvalid or LedgerUnavailable.
        """
        batches = await self.worker(self.table.load)
        settled = 0
        with self.writing.under_way(is_settled=lambda: not self._groups):
            for group in groups(batches):
                settled += await self._settled(group)
        self._groups = [one for one in self._groups if self._is_worth_keeping(one)]
        await self._keep(batches)
        return settled

    async def _settled(self, group: Group) -> int:
        announced = await self.worker(self.ledger.announced, group.operation, group.announced_at)
        if not announced.latest:
            return 0
        self.writing.begins(self.target.facet(group.operation))
        recorded = await self._recorded(group, announced)
        self._groups.append(group if recorded is None else group.unnamed(announced))
        return recorded or 0

    async def hold(self, workspace: Waiting) -> int:
        """Make the opposite changes of contacts that a batch may still change wait; return how many wait."""
        now = self.clock()
        await self._keep_unnamed(workspace, now)
        waiting = 0
        for group in self._groups:
            announced = await self.worker(self.ledger.announced, group.operation, group.announced_at)
            if group.may_change(announced, now):
                waiting += await self.worker(workspace.wait, opposite(group.operation), list(announced.latest))
        return waiting

    async def _recorded(self, group: Group, announced: Announced) -> int | None:
        """Record what a group did that is over, if anybody can tell; None while it is not."""
        if not group.unfinished:
            return None
        exactly = list(announced.latest) if group.is_exact(announced) else []
        delivered = await self.target.fate(group.operation, exactly, group.unfinished)
        if delivered is None:
            return None
        changed_back = await self._changed_back(group.operation, announced)
        if changed_back is None:
            return None
        done = announced.unchanged(delivered.accepted)
        if done or changed_back:
            await self.worker(self._note, group.operation, done, announced.approval, changed_back)
        return len(done)

    async def _changed_back(self, operation: Operation, announced: Announced) -> list[str] | None:
        """Return to whom the opposite was done and who do not show it; None if that could not be seen."""
        overruled, facet = announced.overruled(operation), self.target.facet(operation)
        if not overruled or facet is None:
            return []
        reading = await self.target.read(overruled)
        if reading.stopped is not None or any(one.detail != CONTACT_GONE for one in reading.unseen):
            return None
        return [contact_id for contact_id, contact in reading.contacts.items() if facet.is_done(contact)]

    def _note(
        self, operation: Operation, done: Sequence[str], approval: str | None, changed_back: Sequence[str]
    ) -> None:
        now = self.clock()
        self.ledger.claim()
        self.ledger.note(Entry(operation), done, now, approval)
        self.ledger.note(_MAY_BE_CHANGED_BACK[operation], changed_back, now, ADOPTED)
        self.ledger.commit()

    def _is_worth_keeping(self, group: Group) -> bool:
        age = self.clock() - group.announced_at
        return bool(group.batches) and age < (KEPT if group.unfinished else PATIENCE)

    async def _keep(self, loaded: Sequence[Batch]) -> None:
        kept = [batch for group in self._groups for batch in group.batches]
        if kept != loaded:
            await self.worker(self.table.keep, kept)

    async def _keep_unnamed(self, workspace: Waiting, now: datetime) -> None:
        """Remember what an earlier run announced and may have handed in without getting to know an id.

        On disk before anything is sent to those contacts again, as that covers the announcement.
        """
        if not await self.worker(workspace.count_unanswered):
            return
        known = {(one.operation, one.announced_at) for one in self._groups}
        unnamed = [
            one
            for one in await self.worker(self.ledger.announcements, now - PATIENCE)
            if (one.operation, one.announced_at) not in known and self._goes_in_bulk(one)
        ]
        if unnamed:
            await self.worker(self.table.add, unnamed)
            self._groups += groups(unnamed)

    def _goes_in_bulk(self, batch: Batch) -> bool:
        capability = self.target.capability(batch.operation, batch.rows)
        return capability is not None and capability.mode is Mode.BULK
