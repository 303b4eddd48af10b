"""What the ledger says of contacts that Engage refused, or has no more."""

from datetime import timedelta
from pathlib import Path

from tests.component.conftest import Install
from tests.component.installation import Warehouse


async def test_who_was_refused_said_no_when_they_said_it(install: Install, tmp_path: Path) -> None:
    """A decision that is newer than the no is so still, when Engage has refused the first attempt."""
    here = install("opt-in", maxRemovals=5)
    warehouse, [contact] = Warehouse(here, tmp_path), here.people[:1]
    warehouse.holds((contact, None, None))
    await here.run()
    warehouse.holds()
    await here.run(hours=1)
    assert here.shown() == set()

    decided = here.around.clock() + timedelta(hours=1)
    warehouse.holds((contact, None, decided.isoformat()))
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 422, "times": 1})
    status = await here.run(hours=3)
    assert status.last_run is not None
    assert status.last_run.rejected == 1

    await here.run(hours=3)

    assert here.shown() == {contact}


async def test_a_contact_that_is_gone_is_no_member_any_more(install: Install) -> None:
    here = install("single")
    here.edit(drift={"sample": 100, "onDrift": "Report"})
    here.select(here.people[:5])
    await here.run()
    here.engage.remove(here.people[0])

    status = await here.run()

    assert status.members == 4
    assert "4 members" in str(status.last_run and status.last_run.message)
