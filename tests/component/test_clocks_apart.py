"""This node's clock and Engage's: a no is dated by Engage's, and nobody is opted in while the two are apart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from voyado_operator.engage.clock import EngageClock

from tests.component.conftest import Install
from tests.component.installation import Installation, Warehouse

AN_HOUR = timedelta(hours=1)


def node_is_ahead(here: Installation, seconds: float) -> None:
    """Only this node: Engage and the warehouse know what time it is."""
    here.passed = timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("ahead", "told"),
    [(-3 * 3600, "3 h 0 min behind Engage's"), (3 * 3600, "3 h 0 min ahead of Engage's"), (62, "1 m")],
)
@pytest.mark.parametrize("kind", ["opt-in", "consent"])
async def test_opt_ins_wait_until_the_clock_is_right(install: Install, kind: str, ahead: float, told: str) -> None:
    here = install(kind)
    here.select(here.people[:2])
    await here.run()
    here.select(here.people[1:3])
    node_is_ahead(here, ahead)

    status = await here.run()

    assert here.shown() == {here.people[1]}, "who leaves is taken off all the same"
    ready = status.conditions[0]
    assert (ready.status, ready.reason) == ("False", "PartiallyApplied")
    assert told in ready.message
    assert "1 opt-ins wait" in ready.message
    assert "NTP" in ready.message
    node_is_ahead(here, 0)
    await here.run()
    assert here.shown() == {here.people[1], here.people[2]}


async def test_a_clock_that_is_nearly_right_holds_up_nobody(install: Install) -> None:
    here = install("opt-in")
    node_is_ahead(here, -50)
    here.select(here.people[:2])

    await here.run()

    assert here.shown() == set(here.people[:2])


async def test_an_opt_out_waits_for_no_clock(install: Install) -> None:
    here = install("opt-out")
    for one in here.people[:2]:
        here.decide(one, True)
    node_is_ahead(here, -3 * 3600)
    here.select(here.people[:2])

    status = await here.run()

    assert here.shown() >= set(here.people[:2])
    assert status.last_run is not None
    assert "behind Engage's, set up" in (status.last_run.message or "")


async def test_a_no_that_is_recorded_by_a_slow_clock_is_as_new_as_it_is(install: Install, tmp_path: Path) -> None:
    here = install("opt-in")
    warehouse = Warehouse(here, tmp_path)
    contact, other = here.people[:2]
    warehouse.holds((contact, None, None), (other, None, None))
    await here.run()
    warehouse.holds((other, None, None))
    node_is_ahead(here, -3 * 3600)
    await here.run()  # taken off now
    assert here.shown() == {other}
    node_is_ahead(here, 0)

    warehouse.holds((contact, None, (datetime.now(UTC) - 2 * AN_HOUR).isoformat()), (other, None, None))
    await here.run()

    assert here.shown() == {other}, "a yes of two hours ago is older than a no of now"


@pytest.mark.parametrize("date", ["Mon, 30 Nov 2026 12:00:00 GMT", "Monday, 30-Nov-26 12:00:00 GMT"])
def test_engages_time_goes_on_by_itself(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = EngageClock()
    assert clock.time() is None
    for unreadable in (None, "", "yesterday"):
        clock.heard(unreadable, 0, 0)
    assert clock.time() is None

    clock.heard(date, 100.0, 101.0)  # half way through its second, half way between the two
    monkeypatch.setattr("voyado_operator.engage.clock.monotonic", lambda: 160.5)

    assert clock.time() == datetime(2026, 11, 30, 12, 1, 0, 500_000, tzinfo=UTC)


def test_one_answer_of_another_clock_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = EngageClock()
    for hour in (12, 12, 15, 12):
        clock.heard(f"Mon, 30 Nov 2026 {hour}:00:00 GMT", 0.0, 1.0)
    monkeypatch.setattr("voyado_operator.engage.clock.monotonic", lambda: 0.0)

    assert clock.time() == datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)
