"""Runs and erasures wait for each other: somebody is forgotten while a run is on, and no run fails of it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.ledger import erasure
from voyado_operator.ledger.changelog import ChangeLog
from voyado_operator.ledger.erasure import Erased
from voyado_operator.ledger.locks import Share
from voyado_operator.reconcile import planning, sharing
from voyado_operator.workspace import Workspace

from tests.component.conftest import Install
from tests.component.installation import TARGETS, Installation, Warehouse


def root(here: Installation) -> Path:
    return Path(here.settings.ledger_url.removeprefix("file://"))


def outcome(status: SegmentActivationStatus) -> str:
    assert status.last_run is not None
    return status.last_run.outcome


async def going_on(here: Installation) -> list[SegmentActivationStatus]:
    """The runs that are due at once."""
    statuses = list[SegmentActivationStatus]()
    while (when := here.life.status.next_run_time) is not None and when <= here.around.clock():
        await here.step()
        statuses.append(here.life.status)
    return statuses


class Meanwhile:
    """Forgets a contact in a thread of its own, once, when it is called first."""

    def __init__(self, here: Installation, contact: str) -> None:
        self._here, self._contact = here, contact
        self._thread = ThreadPoolExecutor(1)
        self.done: Future[Erased] | None = None

    def __call__(self) -> None:
        """Return when the erasure waits for the run, or is over."""
        if self.done is not None:
            return
        self.done = self._thread.submit(erasure.forget, root(self._here), self._contact)
        while not self._waits() and not self.done.done():
            time.sleep(0.001)

    def _waits(self) -> bool:
        ledgers = [one for one in erasure.tables(root(self._here)) if erasure.is_ledger(one)]
        return any(Share(f"file://{one}").is_wanted for one in ledgers)

    async def result(self) -> Erased:
        assert self.done is not None
        return await asyncio.wrap_future(self.done)


@contextmanager
def before(owner: Any, method: str, called: Callable[[], None]) -> Iterator[None]:
    """Whenever it is called."""
    original = getattr(owner, method)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        called()
        return original(*args, **kwargs)

    with mock.patch.object(owner, method, wrapped):
        yield


async def test_a_plan_does_not_bring_back_who_was_forgotten_meanwhile(install: Install) -> None:
    here = install("bulk", maxRemovals=3)
    here.select(here.people)
    await here.run()
    forgotten = here.people[0]
    here.select(here.people[8:])
    meanwhile = Meanwhile(here, forgotten)

    with before(planning, "judge", meanwhile):
        status = await here.run()

    assert outcome(status) == "Blocked"
    assert len((await meanwhile.result()).held) == 2, "the ledger and the plan"
    status = await here.run()
    assert status.plan is not None
    assert status.plan.leaving == 7 + 1, "the plan that waits is the same, though one of it is gone"
    assert erasure.forget(root(here), forgotten).held == []


async def test_who_is_forgotten_while_the_audience_is_read_is_not_in_the_diff(install: Install) -> None:
    """The erasure does not wait for the warehouse, and the run sees what is left."""
    here = install("single")
    here.select(here.people)
    await here.run()
    forgotten, others = here.people[0], here.people[1:]
    here.select(others)
    meanwhile = Meanwhile(here, forgotten)

    with before(Workspace, "stage", lambda: (meanwhile(), meanwhile.done.result(30))):  # type: ignore[union-attr]
        status = await here.run()

    assert (await meanwhile.result()).held
    assert (outcome(status), status.members) == ("Succeeded", len(others))
    assert status.last_run is not None
    assert status.last_run.leaving == 0


@pytest.mark.parametrize("kind", TARGETS)
async def test_a_run_that_sends_makes_way_and_goes_on_at_once(
    install: Install, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "PATIENCE", 0.0)
    here = install(kind)
    here.select(here.people[:3])
    await here.run()
    forgotten, others = here.people[0], here.people[1:]
    here.select(others)
    meanwhile = Meanwhile(here, forgotten)

    with before(ChangeLog, "append", meanwhile):
        statuses = [await here.run(), *await going_on(here)]
    assert (await meanwhile.result()).held

    assert {outcome(one) for one in statuses} <= {"Succeeded", "Partial"}
    assert outcome(statuses[-1]) == "Succeeded"
    assert set(others) <= here.shown()
    assert here.life.status.members == len(others)
    sent = [one.last_run.accepted for one in statuses if one.last_run]
    assert sum(sent) <= len(others) - 2 + 1, "nobody twice"
    assert erasure.forget(root(here), forgotten).held == []


async def test_a_long_run_says_that_it_made_way(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "PATIENCE", 0.0)
    here = install("single", 40)
    here.select(here.people[:1])
    await here.run()
    here.select(here.people)
    meanwhile = Meanwhile(here, here.people[0])

    with before(ChangeLog, "append", meanwhile):
        status = await here.run()

    await meanwhile.result()
    assert status.last_run is not None
    assert status.last_run.outcome == "Partial"
    assert "made way for an erasure" in status.last_run.message
    [ready, *_] = status.conditions
    assert ready.reason == "PartiallyApplied"
    assert 0 < status.last_run.accepted < len(here.people)
    assert status.next_run_time is not None
    assert status.next_run_time <= here.around.clock()


async def test_a_short_run_does_not_make_way_but_is_waited_for(install: Install) -> None:
    here = install("single")
    here.select(here.people[:1])
    await here.run()
    here.select(here.people)
    meanwhile = Meanwhile(here, here.people[0])

    with before(ChangeLog, "append", meanwhile):
        status = await here.run()

    assert (outcome(status), status.members) == ("Succeeded", len(here.people))
    assert (await meanwhile.result()).failed == []


@pytest.mark.parametrize("name", ["alumni", "zeta"])
async def test_a_withdrawal_makes_way_and_goes_on(install: Install, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The erasure takes the ledgers by name: it waits first for the new target's, or for the former one's."""
    monkeypatch.setattr(sharing, "PATIENCE", 0.0)
    here = install("single", 40)
    here.edit(deletionPolicy="Withdraw")
    here.select(here.people)
    await here.run()
    here.edit(target={"label": {"name": name}})
    here.engage.configure(attributes={"label_vip": "boolean", f"label_{name}": "boolean"})
    forgotten, others = here.people[0], here.people[1:]
    here.select(others)
    meanwhile = Meanwhile(here, forgotten)

    with before(ChangeLog, "append", meanwhile):
        await here.run()
        await here.approve()
        statuses = [here.life.status, *await going_on(here)]

    assert (await meanwhile.result()).failed == []
    assert {outcome(one) for one in statuses} <= {"Succeeded", "Partial"}
    assert outcome(statuses[-1]) == "Succeeded"
    assert here.engage.attribute("label_vip") <= {forgotten}
    assert here.engage.attribute(f"label_{name}") == set(others)


async def test_no_run_fails_while_one_after_the_other_is_forgotten(install: Install, tmp_path: Path) -> None:
    """With addresses to match, so that the remembered matches are erased from too."""
    here = install("single", 30)
    addresses = {one: f"person-{number}@example.com" for number, one in enumerate(here.people)}
    here.engage.seed([{"id": one, "email": address} for one, address in addresses.items()])
    warehouse, over = Warehouse(here, tmp_path), threading.Event()

    def forgetting() -> list[str]:
        failed, count = list[str](), 0
        while not over.is_set():
            failed += erasure.forget(root(here), here.people[count % len(here.people)]).failed
            count += 1
        assert count > 5
        return failed

    with ThreadPoolExecutor(1) as thread:
        erasing = thread.submit(forgetting)
        outcomes = list[str]()
        try:
            for number in range(12):
                rows = [(None, addresses[one], None) for one in here.people[number % 5 :]]
                warehouse.holds(*rows)
                outcomes.append(outcome(await here.run()))
        finally:
            over.set()
        assert erasing.result(60) == []

    assert "Failed" not in outcomes
    assert not list(root(here).rglob("*.damaged-*"))
