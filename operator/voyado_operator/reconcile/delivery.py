"""Sending what may go out, batch by batch, and writing down what Engage acknowledged."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain, product, repeat
from typing import Protocol

from voyado_operator.domain.contacts import Contacts
from voyado_operator.domain.delivery import (
    ADOPTED,
    CONTACT_GONE,
    NOT_APPLIED,
    PUT_BACK,
    RENEWED,
    RESTORED,
    UNANSWERED,
    UNSEEN,
    UNSENT,
    Account,
    Entry,
    Operation,
    Outcome,
    Result,
    parking,
)
from voyado_operator.domain.errors import RunError
from voyado_operator.domain.target import Mode
from voyado_operator.reconcile.canary import Canary, Trial
from voyado_operator.reconcile.journal import BatchJournal
from voyado_operator.reconcile.lanes import Lanes, UnderWay, collected
from voyado_operator.reconcile.ports import Delivered, Ledger, Parked, Target, Tell
from voyado_operator.reconcile.screening import Screen, Screened, everybody
from voyado_operator.reconcile.worker import Worker
from voyado_operator.workspace import Detail, Lot

TRIED = 4_000  # contacts of a batch with a canary in it: all of them are announced first, and taken back if it fails
_INTENTS = {
    (Operation.ADD, Lot.OTHERS): Entry.ASKED,
    (Operation.REMOVE, Lot.MEMBERS): Entry.LEAVING,
    (Operation.REMOVE, Lot.OTHERS): Entry.CLEARING,
}

_RENEWAL = Operation.ADD, Lot.MEMBERS
"""A member of a list of opt-outs has decided again, and is told no once more."""


class Interrupted(Exception):  # noqa: N818 - not an error: the operator stops, or the object goes
    """Sending ended between two batches because somebody asked for it."""


class Changes(Protocol):
    """What is to be sent."""

    def changes(self, operation: Operation, lot: Lot, sizes: Iterable[int]) -> Iterator[Contacts]:
        """The contacts that may go out, at most so many at a time; other calls may come in between."""
        ...

    def details(self, contact_ids: Sequence[str]) -> dict[str, Detail]:
        """What is known of single changes."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """Carries changes from the workspace to the target, and acknowledgements to the ledger.

    `screen` says who of a batch is sent, `canary` goes ahead; `approvals` has the digest of the approved plan that an
    operation goes out on; `is_stopping` is asked between batches; `advance` is told how many contacts were just done.
    """

    workspace: Changes
    target: Target
    ledger: Ledger
    parked: Parked
    generation: int
    account: Account
    worker: Worker
    clock: Callable[[], datetime]
    screen: Screen
    canary: Canary
    approvals: Mapping[Operation, str]
    is_stopping: Callable[[], object]
    advance: Callable[[int], None]
    batches: BatchJournal
    writer: Worker = field(default_factory=lambda: Worker("ledger"))

    async def deliver(self, operations: Sequence[Operation]) -> None:
        """Send everything that is not held, in the order of `operations`.

        An operation begins when Engage has all of the one before. How long Engage works on a bulk batch is its affair:
        until it tells what became of the last removals, the additions are on their way.

        Every batch is announced in the ledger before it goes, and what became of it is written down after, with the
        announcement of the next: half as many commits, of which each takes 10 ms however little is in it. A crash
        repeats LANES batches of each kind at most, and loses nothing. Raises CredentialsInvalid,
        EngageUnavailable, LedgerUnavailable, TargetUnsafe, or Interrupted.
        """
        under_way, working = UnderWay(), list[asyncio.Task[None]]()
        is_answered = partial(self._is_answered, under_way)
        with self.canary.writing.under_way(is_answered), self.writer, self.batches:
            async with asyncio.TaskGroup() as delivering:
                with collected(under_way.stopped):
                    for operation, lot in product(operations, Lot):
                        lanes = self._lanes(operation, lot, under_way)
                        working.append(delivering.create_task(lanes.work()))
                        await lanes.all_handed_in.wait()
            with collected(under_way.stopped):
                await self._commit()
            with collected(under_way.stopped):
                await self.batches.close()
        for one in working:
            one.result()  # a group says nothing of a task that somebody else has cancelled
        if under_way.stopped:
            raise under_way.stopped[0]

    def _is_answered(self, under_way: UnderWay) -> bool:
        """Whether Engage has said of everything what became of it."""
        is_recorded = all(isinstance(error, RunError | Interrupted) for error in under_way.stopped)
        return is_recorded and not self.account.total(Result.UNKNOWN)

    def _sizes(self, operation: Operation) -> Iterator[int]:
        """Of the batches; where a canary is in the first, that is small."""
        most = self.target.batch_size
        return chain([min(TRIED, most)] if self.canary.unproven(operation, most) else [], repeat(most))

    def _lanes(self, operation: Operation, lot: Lot, under_way: UnderWay) -> Lanes:
        batches = self.workspace.changes(operation, lot, self._sizes(operation))
        return Lanes(
            take=lambda: self.worker(next, batches, None),
            send=partial(self._send, operation, lot),
            commit=self._commit,
            under_way=under_way,
        )

    async def _send(
        self, operation: Operation, lot: Lot, batch: Contacts, others_may_follow: Tell, handed_in: Tell
    ) -> None:
        """Others may follow when Engage has shown that it does such changes in bulk as it should.

        What goes singly is no sooner done in three batches than in one, and that shows sooner how far it is.
        """
        if self.is_stopping():
            raise Interrupted
        screened = await self.screen(operation, lot, batch)
        try:
            await self._send_screened(operation, lot, screened, others_may_follow, handed_in)
        finally:
            screened.end()
            self.advance(len(batch))

    async def _send_screened(
        self, operation: Operation, lot: Lot, screened: Screened, others_may_follow: Tell, handed_in: Tell
    ) -> None:
        announced_at = await self.worker(self._announce, operation, lot, screened)
        await self._commit()
        announcement = self.batches.announced(operation, announced_at)
        stopped, sent = screened.stopped, Delivered()
        if screened.send and stopped is None:
            self.canary.writing.begins(self.target.facet(operation))
            target = self.target.remembering(announcement)
            trial = await self.canary.fly(operation, screened.send, target)
            if trial.proven is Mode.BULK and trial.stopped is None:
                others_may_follow()
            sent = await self._sent(operation, trial, handed_in)
            stopped = sent.stopped
            announcement.closed(sent.others)
        others = [*screened.outcomes, *sent.others]
        self.account.adopted += len(screened.adopted) + len(sent.adopted)
        self.account.declined += len(screened.declined) + len(sent.declined)
        self.account.doubted += len(screened.doubted)
        self.account.later += screened.later
        self.account.record(operation, len(sent.accepted), others)
        refused = _to_be_parked(operation, lot, others)
        self.account.unparked += len(_of(others, Result.REJECTED)) - len(refused)
        await self.worker(self._write_down, operation, lot, screened, sent, refused)
        if self.screen is not everybody:  # the next batch is looked at for seconds before it is announced
            await self._commit()
        if stopped:
            raise stopped

    async def _commit(self) -> None:
        """Put on disk what was noted by now, by whichever lane."""
        members = await self.writer(self.ledger.commit)
        self.account.membership += members  # not before: another lane may count meanwhile

    async def _sent(self, operation: Operation, trial: Trial, handed_in: Tell) -> Delivered:
        """What became of those who were tried, and of the rest, which is sent now."""
        if trial.stopped is not None or not trial.rest:
            return Delivered(trial.accepted, trial.others, trial.stopped, trial.adopted, trial.declined)
        rest = await trial.target.apply(operation, trial.rest, handed_in)
        accepted = Contacts.joined([Contacts.of(trial.accepted), Contacts.of(rest.accepted)])
        adopted, declined = [*trial.adopted, *rest.adopted], [*trial.declined, *rest.declined]
        return Delivered(accepted, trial.others + rest.others, rest.stopped, adopted, declined)

    def _announce(self, operation: Operation, lot: Lot, screened: Screened) -> datetime:
        """Note what needs no sending, and then what is sent next; return the moment that all of it has."""
        now = self.clock()
        self.ledger.note(Entry(operation), screened.adopted, now, ADOPTED, screened.decided)
        self.ledger.note(Entry.DECLINED, screened.declined, now, decided=screened.decided)
        self.ledger.note(Entry.DOUBTED, screened.doubted, now, decided=screened.decided)
        # A member that is told no again is found again by the next run, if what becomes of it is not recorded.
        if screened.stopped is None and (operation, lot) != _RENEWAL:
            intent, approval = _INTENTS[operation, lot], self.approvals.get(operation)
            self.ledger.note(intent, screened.send, screened.since or now, approval)
        return now

    def _write_down(
        self, operation: Operation, lot: Lot, screened: Screened, sent: Delivered, refused: Sequence[str]
    ) -> None:
        """What is unknown stays announced: the next run makes it what the audience says."""
        now = self.clock()
        approval = RENEWED if (operation, lot) == _RENEWAL else self.approvals.get(operation)
        self.ledger.note(Entry(operation), sent.accepted, now, approval, screened.decided)
        self.ledger.note(Entry(operation), sent.adopted, now, UNSENT, screened.decided)
        self.ledger.note(Entry.DECLINED, sent.declined, now, decided=screened.decided)
        if refused:
            details = self.workspace.details(refused)
            parked = {one: parking(details[one].refusals, now) for one in refused}
            self.parked.park(operation, parked, self.generation, now)
        if (operation, lot) == _RENEWAL:
            return
        if screened.stopped is None and len(sent.accepted) < len(screened.send):
            done_or_unknown = {*sent.accepted, *sent.adopted, *sent.declined, *_of(sent.others, Result.UNKNOWN)}
            done_or_unknown |= {one.contact_id for one in sent.others if one.detail == NOT_APPLIED}
            done_or_unknown -= {one.contact_id for one in sent.others if one.detail == UNSEEN}
            gone = {one.contact_id for one in sent.others if one.detail == CONTACT_GONE}
            self._take_back(operation, lot, [one for one in screened.send if one not in done_or_unknown], gone)

    def _take_back(self, operation: Operation, lot: Lot, contact_ids: Sequence[str], gone: Set[str]) -> None:
        """What was announced and refused, or not sent, has not happened: the ledger says again what it said before."""
        now, approval = self.clock(), self.approvals.get(operation)
        if operation is Operation.REMOVE:
            self.ledger.note(Entry.ADD, contact_ids if lot is Lot.MEMBERS else [], now, approval or RESTORED)
            return
        # What was asked before and never answered may have happened, unless the contact is gone. Of others a label's
        # ledger tells nothing else.
        details = self.workspace.details(contact_ids)
        said_no = {one for one in contact_ids if details[one].entry in (Entry.REMOVE, Entry.DECLINED, Entry.GONE)}
        for contact_id in said_no:
            self.ledger.note(Entry.DECLINED, [contact_id], details[contact_id].entered_at or now)
        still_asked = {one for one in contact_ids if details[one].entry in UNANSWERED} - gone
        for contact_id in still_asked:
            if (asked_at := details[contact_id].entered_at) is not None:
                self.ledger.note(details[contact_id].entry or Entry.ASKED, [contact_id], asked_at, RENEWED)
        self.ledger.note(Entry.VOID, [one for one in contact_ids if one not in said_no | still_asked], now)


def _to_be_parked(operation: Operation, lot: Lot, outcomes: Sequence[Outcome]) -> list[str]:
    """Return whom the next run need not try again.

    Not a contact that is no member and may be on the target all the same: only what we did ourselves can have put it
    there, so taking it off does not wait. Nor a change that was put back, which Engage has not refused.
    """
    if operation is Operation.REMOVE and lot is Lot.OTHERS:
        return []
    return _of([one for one in outcomes if one.detail != PUT_BACK], Result.REJECTED)


def _of(outcomes: Sequence[Outcome], result: Result) -> list[str]:
    return [outcome.contact_id for outcome in outcomes if outcome.result is result]
