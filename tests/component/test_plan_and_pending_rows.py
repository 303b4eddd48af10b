"""A plan that waits, or is approved, while rows of the audience still wait for their look-up."""

import shutil
from functools import partialmethod
from pathlib import Path

import pytest
from voyado_operator.workspace import Workspace

from tests.component.conftest import Install
from tests.component.installation import Installation, Warehouse

FREELY = {"allowEmpty": True, "maxUnmatched": "100%"}
RUNS = 16


def looks_up(monkeypatch: pytest.MonkeyPatch, addresses: int) -> None:
    """So many addresses a run."""
    monkeypatch.setattr(Workspace, "stage", partialmethod(STAGE, lookup_limit=addresses))


STAGE = Workspace.stage


def forget_matches(folder: Path) -> None:
    """As days later."""
    for matches in folder.rglob("identities"):
        shutil.rmtree(matches)


def address(here: Installation, person: str) -> str:
    return f"person-{here.people.index(person)}@example.com"


def with_addresses(here: Installation) -> None:
    for person in here.people:
        here.engage.decide(person, email=address(here, person))


def by_address(here: Installation, people: list[str]) -> list[tuple[None, str, None]]:
    return [(None, address(here, one), None) for one in people]


@pytest.mark.parametrize("addresses", [1, 2, 5])
async def test_approved_removals_wait_with_their_plan(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addresses: int
) -> None:
    here = install("single", people=24, **FREELY, maxRemovals=3)
    with_addresses(here)
    warehouse = Warehouse(here, tmp_path)
    warehouse.holds(*[(one, None, None) for one in here.people[:10]])
    await here.run()
    looks_up(monkeypatch, addresses)
    warehouse.holds(*[(one, None, None) for one in here.people[8:10]], *by_address(here, here.people[10:]))
    await here.run()

    await here.approve()
    assert here.shown() >= set(here.people[:8]), "a row that is not looked up yet may be one of these"
    for _ in range(RUNS):
        await here.run()

    assert here.shown() == set(here.people[8:])
    assert here.life.status.plan is None


@pytest.mark.parametrize("addresses", [1, 2, 4])
async def test_an_approved_plan_waits_for_the_additions_that_are_hidden(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addresses: int
) -> None:
    here = install("single", **FREELY, maxAdditions=3)
    with_addresses(here)
    warehouse = Warehouse(here, tmp_path)
    warehouse.holds(*by_address(here, here.people[:12]))
    await here.run()
    forget_matches(tmp_path)
    looks_up(monkeypatch, addresses)

    await here.approve()
    for _ in range(RUNS):
        await here.run()

    assert here.shown() == set(here.people[:12])
    assert here.life.status.plan is None


async def test_an_approval_lets_nobody_else_out_meanwhile(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install("single", **FREELY, maxAdditions=3)
    with_addresses(here)
    warehouse = Warehouse(here, tmp_path)
    warehouse.holds(*by_address(here, here.people[:8]))
    await here.run()
    forget_matches(tmp_path)
    looks_up(monkeypatch, 2)
    plan = here.life.status.plan
    assert plan is not None

    warehouse.holds(*by_address(here, here.people))
    await here.approve()
    for _ in range(RUNS):
        await here.run()

    assert len(here.shown() - set(here.people[:8])) <= 3
    assert here.shown() >= set(here.people[:8])
    assert here.life.status.plan is not None
    assert here.life.status.plan.digest != plan.digest
