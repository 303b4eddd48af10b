"""On a list of opt-outs, a later decision of somebody who is on it already sends the no once more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.component.arrow import members
from tests.component.conftest import Install
from tests.component.installation import Installation, Warehouse

NOW = datetime.now(UTC)


def at(hours: float) -> str:
    return (NOW + timedelta(hours=hours)).isoformat()


async def complained(install: Install, folder: Path, decided: str | None) -> tuple[Installation, Warehouse]:
    """Two people complained and were opted out; then the first subscribes again."""
    here = install("opt-out")
    warehouse = Warehouse(here, folder)
    for one in here.people[:2]:
        here.decide(one, True)
    warehouse.holds((here.people[0], None, decided), (here.people[1], None, decided))
    await here.run()
    assert here.shown() >= set(here.people[:2])
    here.decide(here.people[0], True)
    return here, warehouse


@pytest.mark.parametrize("worth_remembering", [0, 100_000])
@pytest.mark.parametrize("decided", [None, at(-5)], ids=["undated", "dated"])
async def test_who_complains_again_is_told_no_again_once(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decided: str | None, worth_remembering: int
) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.run.WORTH_REMEMBERING", worth_remembering)
    here, warehouse = await complained(install, tmp_path, decided)
    first, second = here.people[:2]
    await here.run()

    warehouse.holds((first, None, at(2)), (second, None, decided))
    status = await here.run(hours=3)

    assert first in here.shown()
    assert status.members == 2
    assert sorted(members(here.opened_ledger())) == sorted([first, second])
    assert status.last_run is not None
    assert (status.last_run.entering, status.last_run.accepted) == (1, 1)
    here.decide(first, True)
    again = await here.run()
    assert first not in here.shown(), "the complaint was sent; what was said since then is newer"
    assert again.last_run is not None
    assert (again.last_run.entering, again.members) == (0, 2)


@pytest.mark.parametrize("later", [None, at(-6), at(-4), at(99)], ids=["none", "older", "before the record", "future"])
async def test_who_does_not_is_left_alone(install: Install, tmp_path: Path, later: str | None) -> None:
    here, warehouse = await complained(install, tmp_path, at(-5))
    first, second = here.people[:2]

    warehouse.holds((first, None, later), (second, None, at(-5)))
    status = await here.run(hours=3)

    assert first not in here.shown()
    assert status.members == 2


@pytest.mark.parametrize("decided", [at(99), at(-99), "nonsense", None], ids=["future", "past", "nonsense", "none"])
async def test_an_opt_out_is_sent_whatever_it_says_of_its_time(
    install: Install, tmp_path: Path, decided: str | None
) -> None:
    here = install("opt-out")
    here.decide(here.people[0], True)

    Warehouse(here, tmp_path).holds((here.people[0], None, decided))
    await here.run()

    assert here.people[0] in here.shown()


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 503}, {"kind": "garbage"}, {"kind": "status", "status": 422}]
)
async def test_who_could_not_be_told_again_is_a_member_still_and_told_later(
    install: Install, tmp_path: Path, fault: dict[str, object]
) -> None:
    here, warehouse = await complained(install, tmp_path, at(-5))
    first, second = here.people[:2]
    warehouse.holds((first, None, at(2)), (second, None, at(-5)))
    here.engage.faults({**fault, "method": "PATCH"})
    status = await here.run(hours=3)
    here.engage.faults()
    assert status.members == 2
    assert sorted(members(here.opened_ledger())) == sorted([first, second])

    await here.run(hours=2)

    assert first in here.shown()
