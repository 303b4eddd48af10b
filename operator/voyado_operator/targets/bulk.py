"""Many contacts in one request, which Engage works on later."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from voyado_operator.domain.batches import Batch
from voyado_operator.domain.contacts import Contacts
from voyado_operator.domain.delivery import CONTACT_GONE, Operation, Outcome, Result
from voyado_operator.domain.errors import EngageUnavailable, RunError
from voyado_operator.engage.answers import BatchAnswer, ItemAnswer, ItemStatus
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.batch_ports import Journal
from voyado_operator.reconcile.ports import Delivered, Tell
from voyado_operator.targets.singly import one_by_one, unaccepted

MOST_ROWS = 4000  # engage-api.md 5, verified
# A bound; how many it takes is what the limiter's rate times the latency comes to. Without a limit 1,000,000 in three
# lanes are applied in 0.95 s where an answer takes 50 ms, with 16 in 1.3 and with 32 in 1.0.
IN_FLIGHT = 25
MOST_IN_FLIGHT = IN_FLIGHT * MOST_ROWS
FEWEST_ROWS = 11  # a batch costs three calls and a wait; up to 10 changes go one by one
READ_BACK = 20
LONGEST_WAIT, PATIENCE = 15.0, 600.0  # seconds; DESIGN 5: unfinished after 10 minutes is unknown

IsAsWished = Callable[[str], Awaitable[ItemAnswer]]


async def in_bulk(
    operation: Operation,
    contact_ids: Sequence[str],
    client: EngageClient,
    changes: dict[str, Any],
    is_as_wished: IsAsWished,
    handed_in: Tell,
    journal: Journal,
) -> Delivered:
    """Hand in batches, IN_FLIGHT at a time, and find out what became of every row; `is_as_wished` reads one back.

    `handed_in` is called when Engage has all of them, as far as can be known. `journal` is told the id of each batch
    as soon as Engage has answered it, and which of them are over.
    """
    handing_in = _HandingIn(operation, contact_ids, client, changes, is_as_wished, handed_in, journal)
    await asyncio.gather(*(handing_in.work() for _ in range(IN_FLIGHT)))
    if not handing_in.others and handing_in.stopped is None:
        return Delivered(contact_ids)  # the very same: what the ledger needs of them has been made
    return Delivered(Contacts.joined(handing_in.accepted), handing_in.others, handing_in.stopped)


async def fate(
    operation: Operation,
    contact_ids: Sequence[str],
    client: EngageClient,
    batches: Sequence[Batch],
    is_as_wished: IsAsWished,
) -> Delivered | None:
    """Return what became of contacts that an earlier run handed in in these batches; None while one is not over.

    Raises CredentialsInvalid.
    """
    answers = await asyncio.gather(*(_looked_at(client, one) for one in batches))
    finished = [one for one in answers if one is not None and one.is_finished]
    if len(finished) < len(batches):
        return None
    return await _resolved(operation, contact_ids, _together(finished), is_as_wished)


async def _looked_at(client: EngageClient, batch: Batch) -> BatchAnswer | None:
    with suppress(EngageUnavailable):
        return await client.bulk_status(batch.batch_id or "", batch.rows)
    return None


def _together(answers: Sequence[BatchAnswer]) -> BatchAnswer:
    told = [one.refused for one in answers if one.refused is not None]
    refused = {contact_id: code for some in told for contact_id, code in some.items()}
    is_suspect, is_told = any(one.is_suspect for one in answers), len(told) == len(answers)
    return BatchAnswer(is_finished=True, refused=refused if is_told else None, is_suspect=is_suspect)


class _HandingIn:
    def __init__(
        self,
        operation: Operation,
        contact_ids: Sequence[str],
        client: EngageClient,
        changes: dict[str, Any],
        is_as_wished: IsAsWished,
        handed_in: Tell,
        journal: Journal,
    ) -> None:
        self.accepted: list[Contacts] = []
        self.others: list[Outcome] = []
        self.stopped: RunError | None = None
        self._operation = operation
        self._batches = (contact_ids[start : start + MOST_ROWS] for start in range(0, len(contact_ids), MOST_ROWS))
        self._client = client
        self._changes = changes
        self._is_as_wished = is_as_wished
        self._handed_in = handed_in
        self._journal = journal
        self._to_hand_in = len(contact_ids)

    async def work(self) -> None:
        while self.stopped is None and (batch := next(self._batches, None)) is not None:
            delivered = await self._deliver(batch)
            self.accepted.append(Contacts.of(delivered.accepted))
            self.others += delivered.others
            self.stopped = self.stopped or delivered.stopped

    async def _deliver(self, contact_ids: Sequence[str]) -> Delivered:
        started = monotonic()
        try:
            batch_id = await self._client.update_bulk(contact_ids, self._changes, Priority.NORMAL)
        except RunError as error:
            return Delivered(stopped=error)
        self._to_hand_in -= len(contact_ids)
        if not self._to_hand_in:
            self._handed_in()
        if batch_id is None:
            return Delivered(others=_unknown(contact_ids, "NoAnswer"))
        waited = monotonic() - started
        try:
            await self._journal.taken(batch_id, len(contact_ids))
            batch = await _finished(self._client, batch_id, len(contact_ids), waited)
        except RunError as error:  # it was handed in all the same
            return Delivered([], _unknown(contact_ids, "NoStatus"), error)
        if batch is None:
            return Delivered(others=_unknown(contact_ids, "BatchNotFinished"))
        self._journal.over(batch_id)
        return await _resolved(self._operation, contact_ids, batch, self._is_as_wished)


async def _resolved(
    operation: Operation, contact_ids: Sequence[str], batch: BatchAnswer, is_as_wished: IsAsWished
) -> Delivered:
    if batch.refused is None or (batch.refused and not batch.refused.keys() <= set(contact_ids)):
        return await _read_back(operation, contact_ids, 0 if batch.is_suspect else READ_BACK, is_as_wished)
    return _told(operation, contact_ids, batch.refused)


async def _finished(client: EngageClient, batch_id: str, rows: int, wait: float) -> BatchAnswer | None:
    """Look at the batch at once, after `wait` seconds, and then less and less often; None after PATIENCE.

    Not being told how far it is does not undo that it was handed in.
    """
    waited = 0.0
    while waited < PATIENCE:
        with suppress(EngageUnavailable):
            batch = await client.bulk_status(batch_id, rows)
            if batch.is_finished:
                return batch
        await asyncio.sleep(wait)
        waited, wait = waited + wait, min(2 * wait, LONGEST_WAIT)
    return None


async def _read_back(
    operation: Operation, contact_ids: Sequence[str], at_first: int, is_as_wished: IsAsWished
) -> Delivered:
    """The status tells of no single row: look at some, and at all when one is not as wished."""
    some = random.sample(list(contact_ids), min(at_first, len(contact_ids)))
    seen = await one_by_one(operation, some, is_as_wished)
    if some and len(seen.accepted) == len(some):
        return Delivered(contact_ids)
    everything = await one_by_one(operation, contact_ids, is_as_wished)
    known = {*everything.accepted, *(outcome.contact_id for outcome in everything.others)}
    unseen = [contact_id for contact_id in contact_ids if contact_id not in known]
    others = [*everything.others, *_unknown(unseen, "NotReadBack")]
    return Delivered(everything.accepted, others, everything.stopped)


def _unknown(contact_ids: Sequence[str], detail: str) -> list[Outcome]:
    return [Outcome(contact_id, Result.UNKNOWN, detail) for contact_id in contact_ids]


def _told(operation: Operation, contact_ids: Sequence[str], refused: Mapping[str, str]) -> Delivered:
    if not refused:
        return Delivered(contact_ids)  # of 1,000,000 it takes 0.14 s to find that none is refused
    accepted = [one for one in contact_ids if one not in refused]
    others = []
    for contact_id in contact_ids:
        if (code := refused.get(contact_id)) is None:
            continue
        status = ItemStatus.NOT_FOUND if code == CONTACT_GONE else ItemStatus.REFUSED
        if (outcome := unaccepted(operation, contact_id, ItemAnswer(status, code))) is None:
            accepted.append(contact_id)
        else:
            others.append(outcome)
    return Delivered(accepted, others)
