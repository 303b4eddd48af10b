"""A column that does not say when each person decided justifies no opt-in; opt-outs do not depend on it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.component.conftest import Install
from tests.component.installation import Installation, Warehouse

NOW = datetime.now(UTC)
FIRST = [timedelta(days=-30 - number) for number in range(5)]


def rows(here: Installation, decided: list[timedelta | None], people: int = 5) -> list[tuple[str, None, str | None]]:
    said = [None if one is None else (NOW + one).isoformat() for one in decided]
    return [(contact, None, when) for contact, when in zip(here.people[:people], said, strict=True)]


def said_no(here: Installation, contact: str, days: int = 10) -> None:
    date = (NOW - timedelta(days=days)).isoformat()
    here.engage.decide(contact, consents={"memberTerms": {"value": False, "date": date}})


@pytest.mark.parametrize(
    ("seconds", "counts"), [(-3600, True), (-70, True), (-50, False), (0, False), (3600, False), (10**8, False)]
)
async def test_a_decision_is_made_before_the_run(
    install: Install, tmp_path: Path, seconds: float, counts: bool
) -> None:
    here = install("consent")
    contact = here.people[0]
    said_no(here, contact)
    decided = datetime.now(UTC) + timedelta(seconds=seconds)
    Warehouse(here, tmp_path).holds((contact, None, decided.isoformat()), (here.people[1], None, None))

    status = await here.run()

    assert (contact in here.shown()) == counts
    assert here.people[1] in here.shown()
    assert status.last_run is not None
    assert ("1 rows have no decidedAt" in (status.last_run.message or "")) == (not counts)


@pytest.mark.parametrize(("decided", "told"), [("yesterday", True), ("2026-13-01", True), ("", False), ("  ", False)])
async def test_what_is_no_moment_is_counted(install: Install, tmp_path: Path, decided: str, told: bool) -> None:
    here = install("consent")
    Warehouse(here, tmp_path).holds((here.people[0], None, decided))

    status = await here.run()

    assert status.last_run is not None
    assert ("1 rows have no decidedAt" in (status.last_run.message or "")) == told


@pytest.mark.parametrize(("people", "blocks"), [(2, False), (3, True), (5, True)])
async def test_one_moment_in_every_row(install: Install, tmp_path: Path, people: int, blocks: bool) -> None:
    here = install("consent")
    said_no(here, here.people[0])
    Warehouse(here, tmp_path).holds(*rows(here, [timedelta(days=-1)] * people, people))

    status = await here.run()

    assert here.shown() == (set() if blocks else set(here.people[:people]))
    assert (status.conditions[0].reason == "GuardBlocked") is blocks
    assert (f"decidedAt: all {people} rows have the same decidedAt" in status.conditions[0].message) is blocks


@pytest.mark.parametrize("differing", [timedelta(days=-2), None])
async def test_another_moment_in_one_row(install: Install, tmp_path: Path, differing: timedelta | None) -> None:
    here = install("consent")
    Warehouse(here, tmp_path).holds(*rows(here, [timedelta(days=-1)] * 4 + [differing]))

    await here.run()

    assert here.shown() == set(here.people[:5])


async def grown(install: Install, folder: Path) -> tuple[Installation, Warehouse]:
    """Five members, each of whom decided at another moment."""
    here = install("consent")
    warehouse = Warehouse(here, folder)
    warehouse.holds(*rows(here, [*FIRST]))
    await here.run()
    assert here.shown() == set(here.people[:5])
    return here, warehouse


async def test_a_column_that_moves_from_run_to_run(install: Install, tmp_path: Path) -> None:
    here, warehouse = await grown(install, tmp_path)
    said_no(here, here.people[5])
    moved = [one + timedelta(days=25) for one in FIRST]
    warehouse.holds(*rows(here, [*moved, timedelta(days=-2)], 6))

    for _ in range(2):  # an export that is older than the next run has not moved since, and is as wrong
        status = await here.run()

        assert here.people[5] not in here.shown()
        assert status.conditions[0].reason == "GuardBlocked"
        assert "decidedAt: 5 of 5 contacts" in status.conditions[0].message
        assert status.plan is None, "no approval lets it pass"

    here.edit(
        audience={**here.spec["audience"], "sql": {**here.spec["audience"]["sql"], "query": "select * from  vip"}}
    )
    await here.run()
    assert here.people[5] in here.shown(), "somebody has looked at the query"


async def test_a_column_that_is_as_it_was_again(install: Install, tmp_path: Path) -> None:
    here, warehouse = await grown(install, tmp_path)
    warehouse.holds(*rows(here, [*(one + timedelta(days=25) for one in FIRST), timedelta(days=-2)], 6))
    await here.run()

    warehouse.holds(*rows(here, [*FIRST, timedelta(days=-2)], 6))
    await here.run()

    assert here.people[5] in here.shown()


async def test_a_few_who_decided_again(install: Install, tmp_path: Path) -> None:
    here, warehouse = await grown(install, tmp_path)
    again = [one + timedelta(days=25) for one in FIRST[:3]] + FIRST[3:]
    warehouse.holds(*rows(here, [*again, timedelta(days=-2)], 6))

    await here.run()

    assert here.people[5] in here.shown()


async def test_a_moving_column_holds_no_removal(install: Install, tmp_path: Path) -> None:
    here, warehouse = await grown(install, tmp_path)
    moved = [one + timedelta(days=25) for one in FIRST[:4]]
    warehouse.holds(*rows(here, [*moved], 4), (here.people[6], None, None))

    await here.run()

    assert here.shown() == set(here.people[:4])


@pytest.mark.parametrize("days", [[-1] * 5, [-1, -2, -3, -4, -5]], ids=["constant", "moving"])
async def test_opt_outs_are_never_held_for_it(install: Install, tmp_path: Path, days: list[int]) -> None:
    here = install("opt-out")
    warehouse = Warehouse(here, tmp_path)
    for one in here.people[:6]:
        here.decide(one, True)
    warehouse.holds(*rows(here, [*FIRST]))
    await here.run()

    warehouse.holds(*rows(here, [timedelta(days=one) for one in days]), (here.people[5], None, None))
    await here.run()

    assert here.shown() >= set(here.people[:6])


async def test_what_is_remembered_of_it_names_nobody(install: Install, tmp_path: Path) -> None:
    here, _ = await grown(install, tmp_path)

    seen = here.opened_ledger().decisions_seen

    assert seen is not None
    assert len(seen["rows"]) == 5
    assert {len(one) for pair in seen["rows"].items() for one in pair} == {4}
    assert not any(str(number) in str(seen) for number in here.people)
