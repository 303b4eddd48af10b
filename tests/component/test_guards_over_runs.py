"""Guards count what Engage may have done, not only what it acknowledged; approvals are for one plan of one object."""

from datetime import timedelta
from typing import Any

import pytest
from voyado_operator.targets.label_attribute import LabelAttribute

from tests.component.conftest import Install
from tests.component.installation import Installation

UNREADABLE = {"kind": "garbage", "method": "PATCH"}
REFUSED = {"kind": "status", "method": "PATCH", "status": 422}


async def test_additions_that_nobody_answered_for_are_not_removed_without_a_guard(install: Install) -> None:
    here = install("bulk", maxRemovals=5)
    here.select(here.people)
    here.engage.faults(UNREADABLE)
    await here.run()
    here.engage.faults()
    shown = here.shown()
    assert len(shown) > 5

    here.select(here.people[:1])
    status = await here.run()

    assert here.shown() == shown
    assert status.last_run is not None
    assert status.last_run.outcome == "Blocked"


async def test_removals_that_nobody_answered_for_do_not_pile_up(install: Install) -> None:
    here = install("single", maxRemovals=3)
    here.select(here.people)
    await here.run()
    for day in (1, 2, 3):
        here.select(here.people[3 * day :])
        here.engage.faults({"kind": "status", "method": "PATCH", "status": 500})
        await here.run(hours=25)
    here.engage.faults()

    await here.run(minutes=5)

    assert len(here.shown()) >= len(here.people) - 3


async def test_removals_that_are_tried_again_count_once(install: Install) -> None:
    here = install("single", maxRemovals=3)
    here.select(here.people)
    await here.run()
    here.select(here.people[3:])
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 500})
    for _ in range(3):
        await here.run()
    here.engage.faults()

    await here.run()

    assert here.shown() == set(here.people[3:])


async def test_a_percentage_is_of_the_most_members_in_the_window(install: Install) -> None:
    here = install("single", people=50, maxRemovals="80%")
    here.select(here.people)
    await here.run()
    most = len(here.people) * 8 // 10
    here.select(here.people[2 * most // 3 :])
    await here.run()

    here.select(here.people[most:])
    await here.run()
    assert here.shown() == set(here.people[most:])

    here.select(here.people[most + 1 :])
    status = await here.run()
    assert here.shown() == set(here.people[most:])
    assert f"the highest membership in the window {len(here.people)}" in str(status.last_run)


async def test_a_percentage_of_additions_is_of_the_most_members_too(install: Install) -> None:
    here = install("single", people=20, maxRemovals="100%", maxAdditions="100%")
    here.select(here.people[:10])
    await here.run()
    await here.approve()  # nobody was a member before
    assert len(here.shown()) == 10
    here.select(here.people[:2])
    await here.run(hours=25)

    here.select(here.people[:10])
    await here.run()
    assert here.shown() == set(here.people[:10])

    here.select(here.people)
    status = await here.run()
    assert here.shown() == set(here.people[:10])
    assert "the highest membership in the window 10" in str(status.last_run)


async def test_refused_removals_of_others_do_not_make_room_for_members(install: Install) -> None:
    here = install("single", maxRemovals=5)
    members, others = here.people[:8], here.people[8:10]
    here.select(members)
    await here.run()
    here.select([*members, *others])
    here.engage.faults(UNREADABLE)
    await here.run()
    here.select(members)
    here.engage.faults(REFUSED)
    await here.run()
    here.engage.faults()

    here.select(members[:1])
    await here.run()

    assert len(set(members) - here.shown()) <= 5


async def test_the_ceiling_of_opt_ins_counts_who_was_never_answered_for(install: Install) -> None:
    here = install("opt-in", maxAdditions=3)
    for number in (1, 2, 3):
        here.select(here.people[: 3 * number])
        here.engage.faults(UNREADABLE | {"times": 3})
        await here.run()
        here.engage.faults()
        await here.run()

    assert len(here.shown()) == 3


async def test_a_late_refusal_pays_for_no_other_removal(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    here = install("single", maxRemovals=3)
    here.select(here.people)
    await here.run()
    apply = LabelAttribute.apply_as

    async def late(*given: Any) -> Any:
        told = await apply(*given)
        here.passed += timedelta(minutes=10)
        return told

    with monkeypatch.context() as patch:
        patch.setattr(LabelAttribute, "apply_as", late)
        here.engage.faults(REFUSED)
        here.select(here.people[3:])
        await here.run()
        here.engage.faults()
    here.select([*here.people[:3], *here.people[6:]])
    await here.run(hours=1)
    here.select([*here.people[:3], *here.people[9:]])

    await here.run(hours=22, minutes=55)

    assert len(here.shown()) == len(here.people) - 3


async def test_drift_is_not_corrected_of_whoever_is_to_leave(install: Install) -> None:
    here = install("single", maxRemovals=0)
    here.edit(drift={"sample": 100, "onDrift": "Correct"})
    leaving, drifted = here.people[:2]
    here.select(here.people)
    await here.run()
    here.engage.write(leaving, label_vip=False)
    here.engage.write(drifted, label_vip=False)

    here.select(here.people[1:])
    await here.run()

    assert here.shown() == set(here.people[1:])


async def eight_removals_waiting(install: Install, kind: str) -> Installation:
    here = install(kind, maxRemovals=3)
    here.select(here.people)
    await here.run()
    here.select(here.people[8:])
    await here.run()
    return here


async def test_an_approval_is_not_inherited_by_an_object_of_the_same_name(install: Install) -> None:
    here = await eight_removals_waiting(install, "single")
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 401})
    await here.approve()
    here.engage.faults()
    assert len(here.shown()) == 14

    generation = here.generation
    await here.apply_again()
    here.edit(guards={"allowEmpty": False, "maxRemovals": 0})
    here.select(here.people[7:])
    here.generation = generation
    status = await here.run()

    assert len(here.shown()) == 14
    assert status.plan is not None
    assert status.plan.leaving == 7


async def test_a_plan_that_expired_unsent_can_be_approved_again(install: Install) -> None:
    here = await eight_removals_waiting(install, "consent")
    here.engage.faults({"kind": "status", "path": "consents", "status": 503, "retryAfter": 0})
    await here.approve()
    here.engage.faults()
    assert len(here.shown()) == 14

    await here.run(hours=25)
    assert len(here.shown()) == 14, "the approval has expired with its plan"
    await here.approve()

    assert here.shown() == set(here.people[8:])
