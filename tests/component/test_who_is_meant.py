"""An address may be somebody else's by now, or several people's: nobody pays for it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.component.conftest import Install
from tests.component.installation import Installation, Warehouse

FREELY = {"allowEmpty": True, "maxInvalid": "100%", "maxUnmatched": "100%", "maxRemovals": "100%", "maxAdditions": 1000}


def forget_matches(folder: Path) -> None:
    """As days later."""
    for matches in folder.rglob("identities"):
        shutil.rmtree(matches)


async def opted_in_by(install: Install, folder: Path) -> tuple[Installation, Warehouse]:
    """old@ is remembered as the first person's; by now the first has new@, and old@ is the second's."""
    here = install("opt-in")
    here.edit(guards=FREELY)
    warehouse = Warehouse(here, folder)
    first, second = here.people[:2]
    here.engage.decide(first, email="old@example.com")
    warehouse.holds((None, "old@example.com", None))
    here.edit(mode="Plan")
    await here.run()
    here.engage.decide(first, email="new@example.com")
    here.engage.decide(second, email="old@example.com")
    here.edit(mode="Enforce")
    return here, warehouse


@pytest.mark.parametrize("named_by", ["contactId", "another address"])
async def test_anothers_decision_overrules_no_no(install: Install, tmp_path: Path, named_by: str) -> None:
    here, warehouse = await opted_in_by(install, tmp_path)
    [first] = here.people[:1]
    row = (first, None, None) if named_by == "contactId" else (None, "new@example.com", None)
    warehouse.holds(row)
    await here.run()
    assert first in here.shown()
    here.decide(first, False)
    warehouse.holds()
    await here.run()

    warehouse.holds(row, (None, "old@example.com", datetime.now(UTC).isoformat()))
    await here.run()

    assert first not in here.shown()


async def test_an_invalid_row_vouches_for_nobody(install: Install, tmp_path: Path) -> None:
    here, warehouse = await opted_in_by(install, tmp_path)
    first, third = here.people[0], here.people[2]

    warehouse.holds((None, "old@example.com", None), (first, "x@example.com", None), (third, "x@example.com", None))
    await here.run()

    assert first not in here.shown()


async def test_whose_address_became_ambiguous_has_not_left(install: Install, tmp_path: Path) -> None:
    here = install("opt-in")
    here.edit(guards=FREELY)
    warehouse = Warehouse(here, tmp_path)
    member, twin, other = here.people[:3]
    here.engage.decide(member, email="a@example.com")
    warehouse.holds((None, "a@example.com", None))
    await here.run()
    assert here.shown() == {member}
    here.engage.decide(twin, email="a@example.com")
    forget_matches(tmp_path)

    warehouse.holds((None, "a@example.com", None), (other, None, None))
    status = await here.run()

    assert here.shown() == {member, other}
    assert status.members == 2
    warehouse.holds((other, None, None))
    await here.run()
    assert here.shown() == {other}, "now it has left"


@pytest.mark.parametrize(("decided", "counts"), [("2026-06-01 10:00:00", False), ("2026-06-01 10:00:00+02:00", True)])
async def test_a_decision_without_a_zone_is_as_old_as_it_may_be(
    install: Install, tmp_path: Path, decided: str, counts: bool
) -> None:
    """In Stockholm it may be 10:00 before it is 08:30 UTC, when the person said no."""
    here = install("consent")
    warehouse = Warehouse(here, tmp_path)
    [contact] = here.people[:1]
    here.engage.decide(contact, consents={"memberTerms": {"value": False, "date": "2026-06-01T07:30:00+00:00"}})

    warehouse.holds((contact, None, decided))
    await here.run()

    assert here.shown() == ({contact} if counts else set())
