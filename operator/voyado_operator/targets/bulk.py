"""Many contacts in one request, which Engage works on later."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from voyado_operator.domain.delivery import Operation, Outcome, Result
from voyado_operator.domain.errors import EngageUnavailable, RunError
from voyado_operator.engage.answers import BatchAnswer, ItemAnswer, ItemStatus
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.reconcile.ports import Delivered
from voyado_operator.targets.singly import judged, one_by_one

MOST_ROWS = 4000  # engage-api.md 5, verified
FEWEST_ROWS = 11  # a batch costs three calls and a wait; up to 10 changes go one by one
READ_BACK = 20
FIRST_LOOK, LONGEST_WAIT, PATIENCE = 0.2, 15.0, 600.0  # seconds; DESIGN 5: unfinished after 10 minutes is unknown

IsAsWished = Callable[[str], Awaitable[ItemAnswer]]


async def in_bulk(
    operation: Operation,
    contact_ids: Sequence[str],
    client: EngageClient,
    row: Callable[[str], dict[str, Any]],
    is_as_wished: IsAsWished,
) -> Delivered:
    """Hand in a batch and find out what became of every row; `is_as_wished` reads one contact back."""
    try:
        batch_id = await client.update_bulk([row(contact_id) for contact_id in contact_ids], Priority.NORMAL)
    except RunError as error:
        return Delivered([], error)
    if batch_id is None:
        return Delivered(_all(contact_ids, Result.UNKNOWN, "NoAnswer"))
    try:
        batch = await _finished(client, batch_id, len(contact_ids))
    except RunError as error:  # it was handed in all the same
        return Delivered(_all(contact_ids, Result.UNKNOWN, "NoStatus"), error)
    if batch is None:
        return Delivered(_all(contact_ids, Result.UNKNOWN, "BatchNotFinished"))
    if batch.refused is None:
        some = 0 if batch.is_suspect else READ_BACK
        return await _read_back(operation, contact_ids, some, is_as_wished)
    return Delivered([_told(operation, contact_id, batch.refused) for contact_id in contact_ids])


async def _finished(client: EngageClient, batch_id: str, rows: int) -> BatchAnswer | None:
    """Wait for the batch; None after PATIENCE. Not being told how far it is does not undo that it was handed in."""
    wait, waited = FIRST_LOOK, 0.0
    while waited < PATIENCE:
        await asyncio.sleep(wait)
        waited, wait = waited + wait, min(2 * wait, LONGEST_WAIT)
        try:
            batch = await client.bulk_status(batch_id, rows)
        except EngageUnavailable:
            continue
        if batch.is_finished:
            return batch
    return None


async def _read_back(
    operation: Operation, contact_ids: Sequence[str], at_first: int, is_as_wished: IsAsWished
) -> Delivered:
    """The status tells of no single row: look at some, and at all when one is not as wished."""
    some = random.sample(list(contact_ids), min(at_first, len(contact_ids)))
    seen = await one_by_one(operation, some, is_as_wished)
    if some and len(seen.outcomes) == len(some) and all(outcome.result is Result.ACCEPTED for outcome in seen.outcomes):
        return Delivered(_all(contact_ids, Result.ACCEPTED))
    everything = await one_by_one(operation, contact_ids, is_as_wished)
    known = {outcome.contact_id for outcome in everything.outcomes}
    unseen = [contact_id for contact_id in contact_ids if contact_id not in known]
    return Delivered([*everything.outcomes, *_all(unseen, Result.UNKNOWN, "NotReadBack")], everything.stopped)


def _all(contact_ids: Sequence[str], result: Result, detail: str = "") -> list[Outcome]:
    return [Outcome(contact_id, result, detail) for contact_id in contact_ids]


def _told(operation: Operation, contact_id: str, refused: dict[str, str]) -> Outcome:
    code = refused.get(contact_id)
    if code is None:
        return Outcome(contact_id, Result.ACCEPTED)
    status = ItemStatus.NOT_FOUND if code == "ContactNotFound" else ItemStatus.REFUSED
    return judged(operation, contact_id, ItemAnswer(status, code))
