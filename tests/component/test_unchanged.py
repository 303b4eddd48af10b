"""An audience that is as it was is not compared with the same members again; whatever changes is found all the same."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from voyado_operator.ledger.erasure import forget
from voyado_operator.ledger.members import Ledger

from tests.component.arrow import on_target
from tests.component.conftest import Install
from tests.component.installation import Installation


@pytest.fixture(autouse=True)
def small_audiences_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.run.WORTH_REMEMBERING", 0)


@contextmanager
def unread_members() -> Iterator[None]:
    def read(_: Ledger) -> None:
        raise AssertionError("the members were read")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "standing", read)
        yield


async def aligned(install: Install, kind: str) -> Installation:
    here = install(kind)
    here.select(here.people[:9])
    await here.run()
    return here


@pytest.mark.parametrize("kind", ["bulk", "single", "trigger", "opt-in", "consent", "opt-out"])
async def test_an_unchanged_audience_is_not_compared(install: Install, kind: str) -> None:
    here = await aligned(install, kind)
    written = here.engage.requests()["writes"]
    version = here.opened_ledger().version

    for _ in range(2):
        with unread_members():
            status = await here.run()

        assert status.last_run is not None
        assert (status.last_run.outcome, status.last_run.audience) == ("Succeeded", 9)
        assert status.diff is not None
        assert (status.diff.entering, status.diff.leaving, status.diff.unchanged) == (0, 0, 9)
        assert status.members == 9
    assert here.engage.requests()["writes"] == written
    assert here.opened_ledger().version == version


async def test_nor_is_one_that_was_found_unchanged_after_its_members_were_compared(install: Install) -> None:
    here = await aligned(install, "bulk")
    ledger = here.opened_ledger()
    ledger.fence()  # whatever is written ends the knowledge
    await here.run()

    with unread_members():
        status = await here.run()

    assert status.members == 9


async def test_whoever_takes_anothers_place_is_found(install: Install) -> None:
    here = await aligned(install, "bulk")

    here.select(here.people[1:10])
    await here.run()

    assert here.shown() == set(here.people[1:10])
    with unread_members():
        await here.run()


async def test_whoever_was_erased_comes_back(install: Install) -> None:
    here = await aligned(install, "bulk")
    assert forget(here.ledger().parent, here.people[0]).held

    await here.run()

    assert here.people[0] in dict(on_target(here.opened_ledger()))


async def test_an_audience_that_was_not_taken_in_completely_is_compared(install: Install) -> None:
    here = install("single")
    here.select(here.people[:9])
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 422, "times": 1})
    await here.run()
    here.engage.faults()
    assert len(here.shown()) == 8

    await here.run(hours=2)

    assert here.shown() == set(here.people[:9])


async def test_an_audience_that_a_guard_holds_back_is_compared(install: Install) -> None:
    here = install("bulk", maxRemovals=2)
    here.select(here.people[:9])
    await here.run()
    here.select(here.people[:4])
    await here.run()

    await here.run()
    assert here.shown() == set(here.people[:9])
    await here.approve()

    assert here.shown() == set(here.people[:4])


async def test_a_run_describes_no_ledger_anew(install: Install) -> None:
    """While delta-rs writes a description, nothing else goes on in the operator."""
    here = await aligned(install, "bulk")
    here.select(here.people[3:15])
    await here.run()

    log = (here.ledger() / "_delta_log").glob("*.json")
    committed = [json.loads(line) for entry in log for line in entry.read_text().splitlines()]

    assert here.shown() == set(here.audience)
    assert sum("metaData" in action for action in committed) == 2, "when it was made, and first claimed"
