"""What a refusal leaves behind: how long a change is parked, and what is known of the contact after it."""

from datetime import timedelta
from pathlib import Path

import pytest
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.arrow import Batches
from voyado_operator.domain.delivery import Operation

from tests.component.conftest import Install
from tests.component.installation import Installation, Warehouse

REFUSED = {"kind": "status", "method": "PATCH", "status": 422}


async def refused_for_a_decision(here: Installation, warehouse: Warehouse) -> SegmentActivationStatus:
    """A run in which the first person has decided ten minutes ago, and Engage refuses to opt them in."""
    [one, other] = here.people[:2]
    decided = (here.around.clock() - timedelta(minutes=10)).isoformat()
    warehouse.holds((one, None, decided), (other, None, None))
    here.engage.faults(REFUSED)
    status = await here.run()
    here.engage.faults()
    assert status.last_run is not None
    assert status.last_run.rejected == 1
    return status


async def tried_again_without(here: Installation, warehouse: Warehouse) -> None:
    """A run that tries the refused one again, of whom the warehouse tells no decision any more."""
    [one, other] = here.people[:2]
    warehouse.holds((one, None, None), (other, None, None))
    here.generation += 1
    await here.run(hours=2)


@pytest.mark.parametrize(("earlier", "hours"), [(0, 1), (1, 6), (2, 24), (3, 24)])
@pytest.mark.parametrize("kind", ["single", "opt-in"])
async def test_each_refusal_parks_it_longer(install: Install, kind: str, earlier: int, hours: int) -> None:
    here = install(kind)
    [one, other] = here.people[:2]
    here.select([one])
    here.engage.faults(REFUSED)
    for _ in range(earlier + 1):
        await here.run(hours=25)
    here.engage.faults()

    await here.run(minutes=60 * hours - 2)
    assert here.shown() == set(), "it is not tried before its time"
    await here.run(minutes=3)
    assert here.shown() == {one}

    here.select([one, other])
    await here.run()
    assert here.shown() == {one, other}


@pytest.mark.parametrize("again", ["with the next manifest", "for a named contact type"])
async def test_a_refused_opt_in_is_no_no_of_the_person(install: Install, again: str) -> None:
    here = install("opt-in")
    [one, other] = here.people[:2]
    here.select([one, other])
    here.engage.faults(REFUSED | {"times": 1})
    await here.run()
    here.engage.faults()
    assert len(here.shown()) == 1

    if again == "for a named contact type":
        here.move(contactType="Member")
    here.generation += 1
    await here.run(hours=2)

    assert here.shown() == {one, other}


@pytest.mark.parametrize("said_no", ["in Engage", "by leaving"])
async def test_whose_no_is_known_is_not_opted_in_without_a_decision_after_a_refusal(
    install: Install, tmp_path: Path, said_no: str
) -> None:
    """The decision that was refused is withdrawn: what was known before it counts again."""
    here = install("opt-in")
    warehouse = Warehouse(here, tmp_path)
    [one, other] = here.people[:2]
    warehouse.holds((one, None, None), (other, None, None))
    await here.run()
    if said_no == "in Engage":
        here.decide(one, False)
    warehouse.holds((other, None, None))
    await here.run()
    if said_no == "in Engage":
        warehouse.holds((one, None, None), (other, None, None))
        await here.run()
    here.let_pass(hours=1)
    await refused_for_a_decision(here, warehouse)

    await tried_again_without(here, warehouse)

    assert here.shown() == {other}


async def test_whose_leaving_was_not_answered_is_not_opted_in_without_a_decision_after_a_refusal(
    install: Install, tmp_path: Path
) -> None:
    """A member who said no, and left: of the removal nobody knows, and Engage shows the no as it was before that."""
    here = install("opt-in", maxRemovals=5)
    warehouse = Warehouse(here, tmp_path)
    [one, other] = here.people[:2]
    warehouse.holds((one, None, None), (other, None, None))
    await here.run()
    here.decide(one, False)
    warehouse.holds((other, None, None))
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 500})
    await here.run(hours=1)
    assert [entry for entry, *_ in here.opened_ledger().records(one)] == ["leaving"]
    here.let_pass(hours=2)
    status = await refused_for_a_decision(here, warehouse)
    assert status.members == 1, "who left is counted as gone once"
    removals = here.opened_ledger().sent(Operation.REMOVE, here.around.clock() - timedelta(hours=12))
    assert sum(batch.num_rows for batch in Batches(removals)) == 1, "the removal may have been done"

    await tried_again_without(here, warehouse)

    assert here.shown() == {other}


async def test_what_was_asked_without_an_answer_is_as_old_as_before_when_it_is_refused(install: Install) -> None:
    """A no that was said since is newer than it."""
    here = install("opt-in")
    [one] = here.people[:1]
    here.select([one])
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 500})
    await here.run()
    asked = here.opened_ledger().records(one)
    assert [entry for entry, *_ in asked] == ["asked"]

    here.engage.faults(REFUSED)
    status = await here.run(hours=2)

    assert status.last_run is not None
    assert status.last_run.rejected == 1
    assert here.opened_ledger().records(one) == asked


async def no_longer_in_engage(install: Install, folder: Path) -> tuple[Installation, Warehouse]:
    """The first person was opted in and then deleted in Engage, which a run has seen."""
    here = install("opt-in")
    warehouse = Warehouse(here, folder)
    here.edit(drift={"sample": 10, "onDrift": "Report"})
    warehouse.holds((here.people[0], None, None), (here.people[1], None, None))
    await here.run()
    assert here.shown() == set(here.people[:2])
    here.engage.remove(here.people[0])
    status = await here.run()
    assert status.members == 1
    return here, warehouse


@pytest.mark.parametrize("is_refused", [True, False])
async def test_who_was_gone_and_is_back_is_not_opted_in_without_a_decision(
    install: Install, tmp_path: Path, is_refused: bool
) -> None:
    """Nor after an opt-in that the person had decided on was refused."""
    here, warehouse = await no_longer_in_engage(install, tmp_path)
    [one, other] = here.people[:2]
    here.engage.seed([{"id": one, "preferences": {"acceptsEmail": False}}])
    here.let_pass(hours=1)
    if is_refused:
        await refused_for_a_decision(here, warehouse)

    await tried_again_without(here, warehouse)

    assert here.shown() == {other}


async def test_who_was_gone_and_is_back_is_opted_in_by_a_decision(install: Install, tmp_path: Path) -> None:
    here, warehouse = await no_longer_in_engage(install, tmp_path)
    [one, other] = here.people[:2]
    here.engage.seed([{"id": one, "preferences": {"acceptsEmail": False}}])
    here.let_pass(hours=1)

    decided = (here.around.clock() - timedelta(minutes=10)).isoformat()
    warehouse.holds((one, None, decided), (other, None, None))
    here.generation += 1
    await here.run()

    assert here.shown() == {one, other}
