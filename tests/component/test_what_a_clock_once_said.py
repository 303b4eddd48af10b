"""What is due lies no further ahead than the longest wait of its kind, whatever a wrong clock has written down."""

from datetime import timedelta
from pathlib import Path

from tests.component.conftest import Install
from tests.component.installation import Installation, Warehouse

A_CENTURY = 36_525


def the_clock_is_put_right(here: Installation) -> None:
    here.passed = timedelta()
    here.engage.configure(clockAheadSeconds=0)


async def test_the_next_run(install: Install) -> None:
    here = install("single")
    here.select(here.people[:2])
    await here.run(days=A_CENTURY)
    the_clock_is_put_right(here)
    await here.restart()
    await here.step()
    assert here.life.status.next_run_time is not None
    before = here.life.status.last_run

    here.passed = timedelta(minutes=64)
    await here.step()

    assert here.life.status.last_run != before


async def test_a_parked_contact(install: Install) -> None:
    here = install("single")
    here.select(here.people[:2])
    here.engage.faults({"kind": "status", "status": 422, "method": "PATCH", "path": f"/{here.people[0]}$"})
    await here.run(days=A_CENTURY)
    here.engage.faults()
    the_clock_is_put_right(here)

    await here.run()

    assert here.shown() == set(here.people[:2])


async def test_a_parked_contact_is_left_alone_until_its_time(install: Install) -> None:
    here = install("single")
    here.select(here.people[:2])
    here.engage.faults({"kind": "status", "status": 422, "method": "PATCH", "path": f"/{here.people[0]}$"})
    await here.run()
    here.engage.faults()

    await here.run(minutes=50)

    assert here.shown() == {here.people[1]}


async def test_a_remembered_match(install: Install, tmp_path: Path) -> None:
    here = install("single", maxUnmatched="100%")
    warehouse = Warehouse(here, tmp_path)
    warehouse.holds((None, "new@example.com", None))
    await here.run(days=A_CENTURY)  # Engage knows nobody of that address
    the_clock_is_put_right(here)
    here.engage.decide(here.people[0], email="new@example.com")

    await here.run()

    assert here.shown() == {here.people[0]}


async def test_a_plan_that_waits(install: Install) -> None:
    here = install("single", maxAdditions=1)
    here.select(here.people[:3])
    status = await here.run(days=A_CENTURY)
    assert status.plan is not None
    the_clock_is_put_right(here)

    again = await here.run()

    assert again.plan is not None
    assert again.plan.expires_at < status.plan.expires_at - timedelta(days=A_CENTURY - 1)
