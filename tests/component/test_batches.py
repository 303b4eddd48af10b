"""A bulk update that Engage still works on: whom it may change gets the opposite when it is over, or once more."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from voyado_operator.domain.batches import Batch
from voyado_operator.domain.contacts import Contacts
from voyado_operator.engage.answers import BatchAnswer
from voyado_operator.engage.client import EngageClient
from voyado_operator.ledger.batches import RememberedBatches
from voyado_operator.ledger.erasure import forget, memberships
from voyado_operator.ledger.layout import batches_url
from voyado_operator.targets import bulk

from tests.component.conftest import Install
from tests.component.installation import WAITS, Installation, Killed, killed_at

PEOPLE = 2 * bulk.FEWEST_ROWS


@pytest.fixture
async def here(install: Install) -> Installation:
    """Half of the people are members; that bulk updates work has been seen, both ways."""
    here = install("bulk", people=PEOPLE, maxRemovals="100%")
    here.select(here.people)
    await here.run()
    here.select(here.people[: PEOPLE // 2])
    await here.run()
    return here


def remembered(here: Installation) -> list[Batch]:
    return RememberedBatches(batches_url(f"file://{here.ledger()}")).load()


async def killed_while_engage_works(here: Installation, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whatever is handed in now is held back in Engage, and the operator dies before it asks for the status."""

    async def die(*_: Any) -> BatchAnswer:
        raise Killed

    here.engage.configure(bulkHolds=True)
    with monkeypatch.context() as patch:
        patch.setattr(EngageClient, "bulk_status", die)
        with pytest.raises(Killed):
            await here.run()
    await here.restart()
    here.engage.configure(bulkHolds=False)
    return here.engage.batches()[-1]


Change = tuple[Callable[[Installation], None], Callable[[Installation], None], set[int]]
ENTER_AND_LEAVE: Change = (
    lambda here: here.select(here.people),
    lambda here: here.select(here.people[: PEOPLE // 2]),
    set(range(PEOPLE // 2)),
)
LEAVE_AND_ENTER: Change = (
    lambda here: here.select([]),
    lambda here: here.select(here.people[: PEOPLE // 2]),
    set(range(PEOPLE // 2)),
)
both_ways = pytest.mark.parametrize("change", [ENTER_AND_LEAVE, LEAVE_AND_ENTER], ids=["add", "remove"])


def wanted(here: Installation, change: Change) -> set[str]:
    return {here.people[number] for number in change[2]}


@both_ways
async def test_who_is_in_a_batch_waits_for_it_after_a_restart(
    here: Installation, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    there, back, _ = change
    there(here)
    batch = await killed_while_engage_works(here, monkeypatch)
    back(here)

    status = await here.run()

    assert status.last_run.outcome == "Partial"
    assert f"{PEOPLE // 2} {WAITS}" in status.last_run.message
    assert (status.last_run.accepted, status.last_run.unknown) == (0, 0), "nothing was sent"
    assert status.conditions[0].reason == "PartiallyApplied"

    here.engage.let_go(batch)
    await here.settle()

    assert here.shown() == wanted(here, change)
    assert remembered(here) == []
    assert here.life.status.last_run.outcome == "Succeeded"
    assert here.life.status.members == len(wanted(here, change))


@both_ways
async def test_a_batch_that_does_not_end_holds_nobody_after_ten_minutes_and_is_read_back_when_it_does(
    here: Installation, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    there, back, _ = change
    there(here)
    batch = await killed_while_engage_works(here, monkeypatch)
    back(here)
    assert WAITS in (await here.run(minutes=9)).last_run.message

    status = await here.run(minutes=2)

    assert (status.last_run.outcome, status.last_run.accepted) == ("Succeeded", PEOPLE // 2)
    assert here.shown() == wanted(here, change)

    here.engage.let_go(batch)
    assert here.shown() != wanted(here, change), "the batch won"
    status = await here.run(hours=1)

    assert here.shown() == wanted(here, change)
    assert status.last_run.outcome == "Succeeded"
    assert status.members == len(wanted(here, change)) == len(here.shown())
    assert remembered(here) == []


@both_ways
async def test_of_a_batch_that_never_ends_nobody_asks_any_more_after_a_day(
    here: Installation, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    there, back, _ = change
    there(here)
    await killed_while_engage_works(here, monkeypatch)
    back(here)
    await here.run(minutes=11)
    here.engage.reset_requests()
    await here.run(hours=23)
    assert here.engage.requests()["byOperation"].get("GET /contacts/bulk/status") == 1

    await here.run(hours=2)  # asks for the last time
    here.engage.reset_requests()
    status = await here.run()

    assert status.last_run.requests == 0
    assert remembered(here) == []


@both_ways
@pytest.mark.parametrize("shape", ["detailed", "counts", "opaque"])
async def test_what_a_batch_did_is_recorded_without_sending_it_again(
    here: Installation, monkeypatch: pytest.MonkeyPatch, change: Change, shape: str
) -> None:
    there, _, _ = change
    here.engage.configure(bulkStatusShape=shape)
    there(here)
    batch = await killed_while_engage_works(here, monkeypatch)
    here.engage.let_go(batch)
    here.engage.reset_requests()

    status = await here.run()

    assert status.last_run.outcome == "Succeeded"
    assert f"{PEOPLE // 2} done by a bulk update of an earlier run" in status.last_run.message
    assert here.shown() == set(here.audience)
    assert status.members == len(here.audience)
    assert not [one for one in here.engage.requests()["byOperation"] if one.startswith("PATCH")]


async def test_whom_a_batch_refused_is_not_called_done(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = here.people[-1]
    here.select(here.people)
    batch = await killed_while_engage_works(here, monkeypatch)
    here.engage.remove(gone)
    here.engage.let_go(batch)

    status = await here.run()

    assert status.members == PEOPLE - 1
    assert (status.last_run.rejected, status.last_run.outcome) == (1, "Partial")


@both_ways
async def test_the_same_change_does_not_wait(
    here: Installation, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    there, back, _ = change
    there(here)
    batch = await killed_while_engage_works(here, monkeypatch)

    status = await here.run()

    assert (status.last_run.outcome, status.last_run.accepted) == ("Succeeded", PEOPLE // 2)
    assert here.shown() == set(here.audience)

    back(here)
    status = await here.run()
    assert WAITS in status.last_run.message, "the first batch is not over, whatever was sent since"
    here.engage.let_go(batch)
    await here.settle()
    assert here.shown() == wanted(here, change)


@both_ways
async def test_a_batch_that_is_not_finished_within_the_run_is_remembered(
    here: Installation, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    there, back, _ = change
    there(here)
    here.engage.configure(bulkHolds=True)
    monkeypatch.setattr(bulk, "PATIENCE", 0.0)
    status = await here.run()
    assert status.last_run.unknown == PEOPLE // 2
    here.engage.configure(bulkHolds=False)
    monkeypatch.setattr(bulk, "PATIENCE", 600.0)
    back(here)

    status = await here.run()

    assert f"{PEOPLE // 2} {WAITS}" in status.last_run.message
    here.engage.let_go()
    await here.settle()
    assert here.shown() == wanted(here, change)


@both_ways
async def test_a_batch_without_a_status_is_remembered(here: Installation, change: Change) -> None:
    there, back, _ = change
    there(here)
    here.engage.configure(bulkHolds=True)
    here.engage.faults({"kind": "status", "status": 401, "path": "status$"})
    status = await here.run()
    assert status.last_run.unknown == PEOPLE // 2
    here.engage.configure(bulkHolds=False)
    here.engage.faults()
    back(here)

    status = await here.run()

    assert f"{PEOPLE // 2} {WAITS}" in status.last_run.message
    here.engage.let_go()
    await here.settle()
    assert here.shown() == wanted(here, change)


async def dies_before_the_id_is_on_disk(here: Installation, patch: pytest.MonkeyPatch) -> None:
    def die(*_: Any) -> None:
        raise Killed

    patch.setattr(RememberedBatches, "add", die)


async def dies_before_the_answer(here: Installation, patch: pytest.MonkeyPatch) -> None:
    update = EngageClient.update_bulk

    async def die(*given: Any) -> None:
        await update(*given)
        raise Killed

    patch.setattr(EngageClient, "update_bulk", die)


@both_ways
@pytest.mark.parametrize("dies", [dies_before_the_id_is_on_disk, dies_before_the_answer])
async def test_without_an_id_it_counts_as_under_way_for_ten_minutes(
    here: Installation, monkeypatch: pytest.MonkeyPatch, change: Change, dies: Any
) -> None:
    there, back, _ = change
    there(here)
    here.engage.configure(bulkHolds=True)
    with monkeypatch.context() as patch:
        await dies(here, patch)
        with pytest.raises(Killed):
            await here.run()
    await here.restart()
    here.engage.configure(bulkHolds=False)
    assert remembered(here) == []
    again = await here.run()
    assert again.last_run.outcome == "Succeeded", "the same change does not wait"
    back(here)

    status = await here.run(minutes=9)

    assert f"{PEOPLE // 2} {WAITS}" in status.last_run.message
    here.engage.let_go()
    status = await here.run(minutes=2)
    assert status.last_run.outcome == "Succeeded"
    assert here.shown() == wanted(here, change)
    assert remembered(here) == []


async def test_a_kill_without_bulk_updates_makes_nobody_wait(install: Install) -> None:
    here = install("single", people=PEOPLE, maxRemovals=1000)
    await here.run()
    here.select(here.people)
    with killed_at(lambda rows: rows["op"][0].as_py() == "asked", is_written=True), pytest.raises(Killed):
        await here.run()
    await here.restart()
    here.select([])

    status = await here.run()

    assert status.last_run.outcome == "Succeeded"


@pytest.mark.parametrize(("kind", "entry"), [("opt-in", "asked"), ("consent", "asked"), ("opt-out", "leaving")])
async def test_an_opt_out_never_waits_whatever_is_remembered(kind: str, entry: str, install: Install) -> None:
    """Preferences and consents do not go in bulk; here somebody claims that they did."""
    here = install(kind, people=PEOPLE, maxRemovals=1000)
    are_in = here.people if entry == "leaving" else []
    here.select(are_in)
    await here.run()
    here.select(set(here.people) - set(are_in))
    with killed_at(lambda rows: rows["op"][0].as_py() == entry, is_written=True), pytest.raises(Killed):
        await here.run()
    await here.restart()
    [announced] = here.opened_ledger().announcements(here.around.clock() - timedelta(minutes=1))
    RememberedBatches(batches_url(f"file://{here.ledger()}")).add([replace(announced, rows=PEOPLE, batch_id="any")])
    here.select(are_in)

    status = await here.run()

    assert status.last_run.outcome == "Succeeded"


async def test_some_of_several_batches_are_over(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those of the other one wait."""
    here = install("bulk", people=PEOPLE + bulk.FEWEST_ROWS, maxRemovals="100%")
    members = here.people[PEOPLE:]
    here.select(members)
    await here.run()
    monkeypatch.setattr(bulk, "MOST_ROWS", bulk.FEWEST_ROWS)
    here.engage.configure(bulkHolds=True)
    monkeypatch.setattr(bulk, "PATIENCE", 0.3)
    update = EngageClient.update_bulk
    of_a_batch: dict[str, list[str]] = {}

    async def watched(client: EngageClient, some: Contacts, *how: Any) -> str | None:
        batch_id = await update(client, some, *how)
        of_a_batch[batch_id or ""] = list(some)
        if len(of_a_batch) == 1:
            await asyncio.to_thread(here.engage.let_go, batch_id or "")
        return batch_id

    monkeypatch.setattr(EngageClient, "update_bulk", watched)
    here.select(here.people)
    status = await here.run()
    assert (status.last_run.accepted, status.last_run.unknown) == (bulk.FEWEST_ROWS, bulk.FEWEST_ROWS)
    here.engage.configure(bulkHolds=False)
    here.select(members)

    status = await here.run()

    assert f"{bulk.FEWEST_ROWS} {WAITS}" in status.last_run.message
    assert status.last_run.accepted == bulk.FEWEST_ROWS
    here.engage.let_go()
    await here.settle()
    assert here.shown() == set(members)


async def test_removals_and_additions_are_remembered_together(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Additions are handed in while Engage works on the removals."""
    members, others = here.people[: PEOPLE // 2], here.people[PEOPLE // 2 :]
    here.select(others)
    here.engage.configure(bulkHolds=True)
    monkeypatch.setattr(bulk, "PATIENCE", 0.0)
    await here.run()
    assert {one.operation.value for one in remembered(here)} == {"add", "remove"}
    here.engage.configure(bulkHolds=False)
    here.select(members)

    status = await here.run()

    assert f"{PEOPLE} {WAITS}" in status.last_run.message
    here.engage.let_go()
    await here.settle()
    assert here.shown() == set(members)


async def test_nothing_is_left_of_batches_that_are_over(here: Installation) -> None:
    here.select(here.people)
    here.engage.reset_requests()
    await here.run()
    assert remembered(here) == []
    here.engage.reset_requests()

    status = await here.run()

    assert status.last_run.requests == 0


async def test_a_withdrawal_waits_too(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    here.engage.configure(attributes={"label_gold": "boolean"})
    here.select(here.people)
    batch = await killed_while_engage_works(here, monkeypatch)
    here.edit(deletionPolicy="Withdraw", target={"label": {"name": "gold"}})

    status = await here.run()

    assert f"{PEOPLE // 2} {WAITS}" in status.conditions[0].message
    here.engage.let_go(batch)
    await here.run()
    await here.approve()
    assert here.shown() == set()


async def test_drift_is_corrected_one_by_one(here: Installation) -> None:
    """Nothing announces a correction: of a bulk update no later run could know whom it may still change."""
    for one in here.audience:
        here.engage.write(one, label_vip=False)
    here.edit(drift={"sample": PEOPLE, "onDrift": "Correct"})
    here.engage.reset_requests()

    await here.run()

    assert here.shown() == set(here.audience)
    assert "PATCH /contacts/bulk" not in here.engage.requests()["byOperation"]


async def test_who_is_forgotten_is_in_no_table_of_batches(
    here: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here.select(here.people)
    batch = await killed_while_engage_works(here, monkeypatch)
    forgotten = here.people[-1]

    erased = forget(tmp_path, forgotten)

    assert (erased.failed, [one for one in erased.held if one.endswith(".batches")]) == ([], [])
    assert [one.ledger for one in memberships(tmp_path, here.people[0])] == [str(here.ledger().relative_to(tmp_path))]
    here.select(set(here.people[: PEOPLE // 2]))
    assert f"{PEOPLE // 2 - 1} {WAITS}" in (await here.run()).last_run.message
    here.engage.let_go(batch)
    await here.settle()
    assert here.shown() == {*here.audience, forgotten}, "of whom is forgotten nobody knows that the batch had them"
