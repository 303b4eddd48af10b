"""When what became of a batch is on disk."""

from typing import Any

import pytest
from deltalake import DeltaTable
from voyado_operator.reconcile.screening import Decisions

from tests.component.conftest import Install
from tests.component.installation import CHANGES_PER_BATCH

BATCHES = 4


@pytest.fixture(autouse=True)
def one_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.delivery.LANES", 1)


async def test_it_is_committed_with_the_announcement_of_the_next(install: Install) -> None:
    here = install("single", maxRemovals=1000)
    here.select(here.people[: BATCHES * CHANGES_PER_BATCH])

    status = await here.run()

    assert status.members == BATCHES * CHANGES_PER_BATCH
    assert len(DeltaTable(here.ledger()).file_uris()) == BATCHES + 1


async def test_it_is_committed_before_the_next_is_looked_at(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    here = install("opt-in", maxRemovals=1000)
    await here.run()  # makes the ledger
    on_disk, screened = list[int](), Decisions.__call__

    async def watched(screen: Decisions, *batch: Any) -> Any:
        members = here.opened_ledger().standing()
        on_disk.append(sum(rows.num_rows for rows in members if rows["op"].to_pylist()[:1] == ["add"]))
        return await screened(screen, *batch)

    monkeypatch.setattr(Decisions, "__call__", watched)
    here.select(here.people[: BATCHES * CHANGES_PER_BATCH])

    await here.run()

    assert on_disk == [CHANGES_PER_BATCH * done for done in range(BATCHES)]
