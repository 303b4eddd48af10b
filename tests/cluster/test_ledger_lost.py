"""A lost or damaged ledger: nobody is removed for it, and nobody is opted in for it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.test_optin import subscribing
from tests.cluster.world import GOVERNANCE, World, ready


def ledger_of(world: World) -> Path:
    return Path(world.status()["ledger"]["url"].removeprefix("file://"))


def deleted(ledger: Path) -> None:
    shutil.rmtree(ledger)


def truncated(ledger: Path) -> None:
    for file in ledger.glob("*.parquet"):
        file.write_bytes(file.read_bytes()[:100])


def without_a_log_entry(ledger: Path) -> None:
    sorted((ledger / "_delta_log").glob("*.json"))[1].unlink()


def rolled_back(ledger: Path) -> None:
    sorted((ledger / "_delta_log").glob("*.json"))[-1].unlink()


def with_an_empty_log_entry(ledger: Path) -> None:
    sorted((ledger / "_delta_log").glob("*.json"))[-1].write_bytes(b"")


DAMAGES = [deleted, truncated, without_a_log_entry, rolled_back, with_an_empty_log_entry]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_label_is_added_again_and_nobody_is_removed(world: World, damage: Callable[[Path], None]) -> None:
    people = world.people(30)
    world.select(people[:20])
    world.connect()
    world.start(world.activation())
    damage(ledger_of(world))

    world.select(people[5:25])
    status = world.run()

    assert world.labelled == set(people[:25]), "who left before cannot be known"
    assert (status["members"], status["lastRun"]["outcome"]) == (20, "Succeeded")
    assert "ledger was lost" in ready(status)["message"]
    world.await_event("LedgerLost", "starts anew")
    assert world.metric("voyado_activation_ledger_rebaselines_total") == 1

    world.select(people[6:25])
    status = world.run()
    assert world.labelled == set(people[:5]) | set(people[6:25]), "from now on who leaves is removed again"
    assert "ledger was lost" not in ready(status)["message"]


def test_an_opt_out_is_sent_again(world: World) -> None:
    people = world.people(5)
    world.select(people)
    world.connect()
    target = {"preference": {"channel": "Sms", "onEnter": "Decline", "onExit": "Keep"}}
    world.start(world.activation(target=target, governance=GOVERNANCE))
    deleted(ledger_of(world))

    status = world.run()

    assert (status["lastRun"]["accepted"], status["members"]) == (5, 5)
    assert world.engage.preference("acceptsSms")["false"] == set(people)


def test_an_opt_in_is_not_and_waits_for_a_person(world: World) -> None:
    stays, left, new = world.people(3)
    world.select([stays, left])
    world.connect()
    world.start(subscribing(world))
    world.engage.decide(left, preferences={"acceptsEmail": False})
    deleted(ledger_of(world))
    world.select([stays, left, new])
    world.engage.reset_requests()

    status = world.run()

    assert world.writes == 0
    run = status["lastRun"]
    assert (run["adopted"], run["declined"], status["members"]) == (1, 0, 1)
    assert "2 held as nobody can tell since the ledger was lost whether they said no" in run["message"]

    world.select([stays, left])
    status = world.run()
    assert [block["guard"] for block in status["plan"]["blockedBy"]] == ["lostLedger"]
    assert (status["plan"]["entering"], status["members"]) == (1, 1)
    assert world.engage.preference("acceptsEmail")["true"] == {stays}
