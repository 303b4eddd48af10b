"""Which changes are with Engage before others go out."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from voyado_operator.domain.delivery import Operation
from voyado_operator.engage.answers import BatchAnswer
from voyado_operator.engage.client import EngageClient
from voyado_operator.reconcile.delivery import Delivery
from voyado_operator.targets import bulk
from voyado_operator.targets.label_attribute import LabelAttribute

from tests.component.conftest import Install
from tests.component.installation import Installation
from tests.engage import EngageAdmin

REMOVALS, ADDITIONS = {"label_vip": False}, {"label_vip": True}
ROWS = bulk.FEWEST_ROWS
SWAPPED = 2 * ROWS


@pytest.fixture
async def here(install: Install, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Half of the people are members, and the others are to be, instead; each in two batches."""
    monkeypatch.setattr(bulk, "MOST_ROWS", ROWS)
    here = install("bulk", people=2 * SWAPPED, maxRemovals="100%")
    here.select(here.people[:SWAPPED])
    await here.run()
    here.select(here.people[SWAPPED:])
    return here


def works_only_after(event: asyncio.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Engage tells nothing of a batch before."""
    status = EngageClient.bulk_status

    async def working(client: EngageClient, *batch: Any) -> BatchAnswer:
        await asyncio.wait_for(event.wait(), 30)
        return await status(client, *batch)

    monkeypatch.setattr(EngageClient, "bulk_status", working)


async def test_additions_do_not_wait_until_engage_has_worked_on_the_removals(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, update = asyncio.Event(), EngageClient.update_bulk

    async def watched(client: EngageClient, some: Sequence[str], changes: dict[str, Any], *how: Any) -> str | None:
        batch_id = await update(client, some, changes, *how)
        if changes == ADDITIONS:
            added.set()
        return batch_id

    monkeypatch.setattr(EngageClient, "update_bulk", watched)
    works_only_after(added, monkeypatch)

    found = await here.run()

    assert found.last_run.outcome == "Succeeded"
    assert here.shown() == set(here.audience)


@pytest.mark.parametrize(("refused", "told"), [(0, [3]), (1, [])], ids=["all taken", "one refused"])
async def test_a_batch_is_handed_in_when_engage_has_taken_all_of_it(
    refused: int, told: list[int], client: EngageClient, engage: EngageAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_ROWS", ROWS)
    people = [str(uuid.uuid4()) for _ in range(3 * ROWS)]
    engage.seed([{"id": one} for one in people])
    engage.faults({"kind": "status", "status": 400, "method": "PATCH", "times": refused})
    taken, handed_in, update = list[str | None](), list[int](), EngageClient.update_bulk

    async def watched(*given: Any) -> str | None:
        taken.append(await update(*given))
        return taken[-1]

    monkeypatch.setattr(EngageClient, "update_bulk", watched)
    target = LabelAttribute(client, "label_vip", bulk.MOST_IN_FLIGHT)

    delivered = await target.apply(Operation.ADD, people, lambda: handed_in.append(len(taken)))

    assert handed_in == told
    assert len(delivered.accepted) == (3 - refused) * ROWS


async def test_no_addition_goes_out_when_engage_refuses_the_removals(here: Installation) -> None:
    before = here.shown()
    here.engage.faults({"kind": "status", "status": 400, "method": "PATCH", "times": 2})

    found = await here.run()

    assert found.conditions[0].reason == "EngageUnavailable"
    assert here.shown() == before


async def test_what_became_of_the_removals_is_on_disk_while_engage_works_on_the_additions(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it was known only after the additions had been announced."""
    added, recorded = asyncio.Event(), asyncio.Event()
    update, commit = EngageClient.update_bulk, Delivery._commit

    async def watched(client: EngageClient, some: Sequence[str], changes: dict[str, Any], *how: Any) -> str | None:
        batch_id = await update(client, some, changes, *how)
        if changes == ADDITIONS:
            added.set()
            await asyncio.wait_for(recorded.wait(), 30)
        return batch_id

    async def looking(delivery: Delivery) -> None:
        await commit(delivery)
        records = here.opened_ledger().records
        if added.is_set() and {"remove"} == {records(one)[0][0] for one in here.people[:SWAPPED]}:
            recorded.set()

    monkeypatch.setattr(EngageClient, "update_bulk", watched)
    works_only_after(added, monkeypatch)
    monkeypatch.setattr(Delivery, "_commit", looking)

    found = await here.run()

    assert found.last_run.outcome == "Succeeded", "nothing waited in vain"
    assert here.shown() == set(here.audience)


async def test_a_batch_that_somebody_else_cancels_is_not_passed_over(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(*_: Any) -> str | None:
        raise asyncio.CancelledError

    monkeypatch.setattr(EngageClient, "update_bulk", cancelled)

    with pytest.raises(asyncio.CancelledError):
        await here.run()


async def test_what_became_of_the_removals_is_known_though_the_additions_are_refused(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, update = asyncio.Event(), EngageClient.update_bulk

    async def refusing(client: EngageClient, some: Sequence[str], changes: dict[str, Any], *how: Any) -> str | None:
        if changes == REMOVALS:
            return await update(client, some, changes, *how)
        here.engage.faults({"kind": "status", "status": 400, "method": "PATCH"})
        try:
            return await update(client, some, changes, *how)
        finally:
            refused.set()

    monkeypatch.setattr(EngageClient, "update_bulk", refusing)
    works_only_after(refused, monkeypatch)

    found = await here.run()

    assert found.conditions[0].reason == "EngageUnavailable"
    assert (found.last_run.accepted, found.members) == (SWAPPED, 0)
    assert here.shown() == set()
