"""When what became of a batch is on disk."""

import asyncio
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from deltalake import DeltaTable
from voyado_operator.domain.delivery import Operation
from voyado_operator.reconcile.delivery import Delivery, Interrupted
from voyado_operator.reconcile.screening import Decisions
from voyado_operator.targets.label_attribute import LabelAttribute

from tests.component.arrow import members, on_target
from tests.component.conftest import Install
from tests.component.installation import CHANGES_PER_BATCH, Installation

BATCHES = 4


@pytest.fixture(autouse=True)
def one_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.lanes.LANES", 1)


def on_record(here: Installation) -> int:
    return len(members(here.opened_ledger()))


async def test_it_is_committed_with_the_announcement_of_the_next(install: Install) -> None:
    here = install("single", maxRemovals=1000)
    here.select(here.people[: BATCHES * CHANGES_PER_BATCH])

    status = await here.run()

    assert status.members == BATCHES * CHANGES_PER_BATCH
    of_the_last = 1
    assert len(DeltaTable(here.ledger()).file_uris()) == BATCHES + of_the_last


@pytest.mark.parametrize("lanes", [1, 3])
async def test_the_last_removal_is_committed_with_the_announcement_of_the_first_addition(
    lanes: int, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.lanes.LANES", lanes)
    here = install("single", maxRemovals=1000)
    here.select(here.people[:CHANGES_PER_BATCH])
    await here.run()
    before = DeltaTable(here.ledger()).version()
    here.select(here.people[CHANGES_PER_BATCH // 2 : 3 * CHANGES_PER_BATCH // 2])

    status = await here.run()

    assert status.members == on_record(here) == CHANGES_PER_BATCH
    claimed, removals_announced, additions_announced, at_the_end = 1, 1, 1, 1
    committed = DeltaTable(here.ledger()).version() - before
    assert committed == claimed + removals_announced + additions_announced + at_the_end


@pytest.mark.parametrize("fails", ["_sizes", "_announce", "_send"])
@pytest.mark.parametrize("error", [Interrupted, RuntimeError])
async def test_the_last_removal_is_committed_though_the_first_addition_fails(
    error: type[Exception], fails: str, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install("single", maxRemovals=1000)
    here.select(here.people[:CHANGES_PER_BATCH])
    await here.run()
    here.select(here.people[CHANGES_PER_BATCH : 2 * CHANGES_PER_BATCH])
    call = getattr(Delivery, fails)

    def failing(delivery: Delivery, operation: Operation, *batch: Any) -> Any:
        if operation is Operation.ADD:
            raise error
        return call(delivery, operation, *batch)

    monkeypatch.setattr(Delivery, fails, failing)
    with suppress(Interrupted):
        await here.run()

    assert on_target(here.opened_ledger()) == [], "all were removed, and nobody was asked"


async def test_it_is_committed_before_the_next_is_looked_at(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    here = install("opt-in", maxRemovals=1000)
    await here.run()  # makes the ledger
    on_disk, screened = list[int](), Decisions.__call__

    async def watched(screen: Decisions, *batch: Any) -> Any:
        on_disk.append(on_record(here))
        return await screened(screen, *batch)

    monkeypatch.setattr(Decisions, "__call__", watched)
    here.select(here.people[: BATCHES * CHANGES_PER_BATCH])

    await here.run()

    assert on_disk == [CHANGES_PER_BATCH * done for done in range(BATCHES)]


@pytest.mark.parametrize("interrupted", [False, True], ids=["nothing is left", "it is to stop"])
async def test_the_last_is_committed_though_another_lane_is_long_in_its_own(
    interrupted: bool, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.lanes.LANES", 2)
    here = install("single", maxRemovals=1000)
    await here.run()
    here.select(here.people[: BATCHES * CHANGES_PER_BATCH])
    sent_by_others = (2 if interrupted else BATCHES - 1) * CHANGES_PER_BATCH
    calls, committed, apply, commit = count(), asyncio.Event(), LabelAttribute.apply, Delivery._commit
    sends, send = count(), Delivery._send

    async def watched(delivery: Delivery) -> None:
        await commit(delivery)
        if on_record(here) == sent_by_others:
            committed.set()

    async def slowly(target: LabelAttribute, *batch: Any) -> Any:
        if next(calls) == 1:  # after the canary's batch
            await asyncio.wait_for(committed.wait(), 30)
        return await apply(target, *batch)

    async def until_the_fourth(delivery: Delivery, *batch: Any) -> None:
        if interrupted and next(sends) == 3:
            raise Interrupted
        await send(delivery, *batch)

    monkeypatch.setattr(Delivery, "_commit", watched)
    monkeypatch.setattr(LabelAttribute, "apply", slowly)
    monkeypatch.setattr(Delivery, "_send", until_the_fourth)

    with suppress(Interrupted):
        await here.run()

    assert on_record(here) == sent_by_others + CHANGES_PER_BATCH
