"""Edits of a target or of its connection: whom they take off, in which order, and what they ask first."""

import shutil
from typing import Any

import pytest
from voyado_operator.api.activation_status import SegmentActivationStatus

from tests.component.beside import Beside
from tests.component.conftest import Install
from tests.component.installation import Installation

LABEL = {"label": {"name": "vip"}}
OTHER = {"label": {"name": "gold"}}
ATTRIBUTES = {"label_vip": "boolean", "label_gold": "boolean", "x_vip": "boolean"}


def reason(status: SegmentActivationStatus) -> str:
    return status.conditions[0].reason


@pytest.fixture
def settled(install: Install) -> Any:
    """Forty members of a label, or of an opt-in, that an edit could take off it."""

    async def make(kind: str = "single", people: int = 40, **spec: Any) -> Installation:
        here = install(kind, people=people)
        here.engage.configure(attributes=ATTRIBUTES)
        here.edit(**spec)
        here.select(here.people)
        assert reason(await here.run()) == "Succeeded"
        return here

    return make


EDITS: dict[str, Any] = {
    "another label": lambda here: here.edit(target=OTHER),
    "another template": lambda here: here.move(labels={"attribute": {"idTemplate": "x_{label}"}}),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
async def test_an_edit_that_takes_people_off_is_a_plan_that_waits(settled: Any, edit: Any) -> None:
    here = await settled(deletionPolicy="Withdraw")
    edit(here)

    status = await here.run()

    assert reason(status) == "GuardBlocked"
    assert "40 contacts would be taken off the former target label vip" in status.conditions[0].message
    assert here.engage.attribute("label_vip") == set(here.people), "nothing is written while it waits"
    assert here.engage.attribute("label_gold") == here.engage.attribute("x_vip") == set()
    assert status.former_target is not None
    assert (status.former_target.members, status.plan.leaving if status.plan else 0) == (40, 40)

    await here.approve()

    assert reason(here.life.status) == "Succeeded"
    assert here.engage.attribute("label_vip") == set()
    assert here.engage.attribute("label_gold") | here.engage.attribute("x_vip") == set(here.people)
    assert here.life.status.former_target is None


async def test_an_edit_that_is_taken_back_while_it_waits_has_done_nothing(settled: Any) -> None:
    here = await settled(deletionPolicy="Withdraw")
    here.edit(target=OTHER)
    await here.run()

    here.edit(target=LABEL)
    status = await here.run()

    assert (reason(status), status.members, status.former_target) == ("Succeeded", 40, None)
    assert here.engage.attribute("label_vip") == set(here.people)


async def test_with_plan_an_edit_writes_nothing_and_releases_nothing(settled: Any) -> None:
    here = await settled(people=5, deletionPolicy="Withdraw")
    waiting = Beside(here, "waiting", target=LABEL)
    waiting.select(here.people[:1])
    here.edit(target=OTHER, mode="Plan")

    status = await here.run()

    assert reason(status) == "Planned"
    assert reason(await waiting.run()) == "TargetConflict"
    assert "which is in mode Plan" in waiting.life.status.conditions[0].message
    assert here.engage.attribute("label_vip") == set(here.people)


@pytest.mark.parametrize("policy", ["Retain", "Withdraw"])
async def test_who_leaves_during_an_edit_is_taken_off_the_former_target(settled: Any, policy: str) -> None:
    here = await settled(people=10, deletionPolicy=policy)
    stays = here.people[2:]
    here.edit(target=OTHER)
    here.select(stays)

    status = await here.run()

    assert reason(status) == "Succeeded"
    assert here.engage.attribute("label_gold") == set(stays)
    assert here.engage.attribute("label_vip") == (set(stays) if policy == "Retain" else set())


async def test_a_template_with_a_slip_takes_nobody_off(settled: Any) -> None:
    """Engage refuses every change of the attribute that there is not: the new target is proven first."""
    here = await settled("bulk", people=12, deletionPolicy="Withdraw")
    here.move(labels={"attribute": {"idTemplate": "lable_{label}"}})

    status = await here.run()

    assert reason(status) == "TargetUnsafe"
    assert here.engage.attribute("label_vip") == set(here.people)
    assert status.former_target is not None


async def test_fewer_than_a_canary_takes_prove_nothing_either(settled: Any) -> None:
    here = await settled(people=3, deletionPolicy="Withdraw")
    here.move(labels={"attribute": {"idTemplate": "lable_{label}"}})

    status = await here.run()

    assert reason(status) == "PartiallyApplied"
    assert here.engage.attribute("label_vip") == set(here.people)
    assert status.former_target is not None


@pytest.mark.parametrize("kind", ["single", "opt-in"])
async def test_naming_the_tenants_default_type_changes_nothing(settled: Any, kind: str) -> None:
    here = await settled(kind, deletionPolicy="Withdraw")
    writes = here.engage.requests()["writes"]
    for contact_type in ("Member", None, "Member"):
        here.move(contactType=contact_type)

        status = await here.run()

        assert (reason(status), status.members) == ("Succeeded", 40)
        assert here.shown() == set(here.people)
    assert here.engage.requests()["writes"] == writes


async def test_an_edit_of_the_edit_leaves_one_target_after_the_other(settled: Any) -> None:
    """The second edit comes when the first has been written in part: nobody keeps a label of either."""
    here = await settled(people=6, deletionPolicy="Withdraw")
    here.edit(target=OTHER)
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 422, "times": 2, "path": here.people[5]})
    await here.run()

    here.edit(target={"label": {"name": "third"}})
    here.engage.configure(attributes=ATTRIBUTES | {"label_third": "boolean"})
    await here.settle()

    assert here.engage.attribute("label_third") == set(here.people)
    assert here.engage.attribute("label_vip") == here.engage.attribute("label_gold") == set()


async def test_a_former_route_that_is_gone_from_the_connection_keeps_nobody_waiting(install: Install) -> None:
    here = install("trigger")
    here.edit(deletionPolicy="Withdraw")
    here.select(here.people[:3])
    await here.run()
    here.move(labels={"attribute": {"idTemplate": "label_{label}"}})

    status = await here.run()

    assert reason(status) == "Succeeded"
    assert here.engage.attribute("label_vip") == set(here.people[:3])
    assert [here.fired_for(one) for one in here.people[:3]] == [["add", "remove"]] * 3


async def test_a_former_ledger_that_is_lost_is_left_behind_and_said(install: Install) -> None:
    here = install("single")
    here.engage.configure(attributes=ATTRIBUTES)
    here.edit(deletionPolicy="Withdraw")
    here.select(here.people[:3])
    await here.run()
    shutil.rmtree(here.ledger())
    here.edit(target=OTHER)

    status = await here.run()

    assert reason(status) == "Succeeded"
    assert here.engage.attribute("label_vip") == set(here.people[:3])
    assert here.engage.attribute("label_gold") == set(here.people[:3])
    assert status.former_target is None


async def test_who_nobody_enters_the_new_target_for_leaves_the_former_one(settled: Any) -> None:
    """The edit empties the audience too; a person approves."""
    here = await settled()
    here.edit(target=OTHER, guards={"allowEmpty": True})
    here.select([])
    assert reason(await here.run()) == "GuardBlocked"

    await here.approve()

    assert reason(here.life.status) == "Succeeded"
    assert here.life.status.former_target is None
    assert here.engage.attribute("label_vip") == set()


async def test_an_approved_plan_of_which_nothing_can_go_out_makes_way_for_another(settled: Any) -> None:
    """It named whom the audience has no more: nobody of the plan is left to prove the new target with."""
    here = await settled(guards={"maxRemovals": 1})
    here.edit(target=OTHER)
    here.select(here.people[:1])
    assert reason(await here.run()) == "GuardBlocked"
    here.audience = here.people[1:2]  # the warehouse has moved on

    await here.approve()
    assert reason(here.life.status) == "GuardBlocked"
    assert here.engage.attribute("label_gold") == set()

    await here.approve()
    assert reason(here.life.status) == "Succeeded"
    assert here.engage.attribute("label_gold") == {here.people[1]}


EDITS_OF_A_CONNECTION: dict[str, tuple[str, dict[str, Any]]] = {
    "another template": ("single", {"labels": {"attribute": {"idTemplate": "x_{label}"}}}),
    "the default type of a label": ("single", {"contactType": "Member"}),
    "the default type of an opt-in": ("opt-in", {"contactType": "Member"}),
}


@pytest.mark.parametrize(("kind", "edit"), EDITS_OF_A_CONNECTION.values(), ids=EDITS_OF_A_CONNECTION)
async def test_who_leaves_during_an_edit_of_the_connection_is_taken_off(
    settled: Any, kind: str, edit: dict[str, Any]
) -> None:
    """With Retain, by which the others stay on what they were on."""
    here = await settled(kind, people=10, deletionPolicy="Retain")
    here.move(**edit)
    here.select(here.people[2:])

    status = await here.run()

    assert (reason(status), status.members) == ("Succeeded", 8)
    assert here.shown() == set(here.people[2:])


@pytest.mark.parametrize("policy", ["Retain", "Withdraw"])
async def test_a_former_ledger_that_is_damaged_is_left_behind_and_an_opt_in_goes_on(
    install: Install, caplog: pytest.LogCaptureFixture, policy: str
) -> None:
    here = install("single")
    here.edit(deletionPolicy=policy)
    here.select(here.people[:3])
    await here.run()
    for entry in here.ledger().rglob("*.json"):
        entry.write_bytes(b"")
    here.kind = "opt-in"
    here.edit()

    status = await here.run()

    assert status.former_target is None
    assert "the former target" in caplog.text, "that they stay on it is said"
    assert "3 held as nobody can tell since the ledger was lost" in status.conditions[0].message
    await here.run(hours=1)
    await here.approve()
    assert (reason(here.life.status), here.life.status.members) == ("Succeeded", 3)
    assert here.shown() == here.engage.attribute("label_vip") == set(here.people[:3])


@pytest.mark.parametrize("policy", ["Retain", "Withdraw"])
async def test_a_route_that_is_put_back_is_gone_on_with(install: Install, policy: str) -> None:
    """A trigger's route is edited by mistake, people move meanwhile, and the route is put back."""
    here = install("trigger")
    here.edit(deletionPolicy=policy)
    here.select(here.people[:4])
    await here.run()

    here.move(labels={"customTrigger": {"triggerId": "mistake"}})
    here.select(here.people[1:5])
    await here.settle()
    here.move(labels={"customTrigger": {"triggerId": "sync"}})
    here.select(here.people[2:6])
    await here.settle()

    assert (reason(here.life.status), here.life.status.members) == ("Succeeded", 4)
    assert here.life.status.former_target is None
    latest = {one["contactId"]: one["payload"]["action"] for one in here.engage.fired() if one["triggerId"] == "sync"}
    assert {one for one, action in latest.items() if action == "add"} == set(here.people[2:6])


async def test_accept_decline_accept_opts_nobody_in_whom_we_opted_out(install: Install) -> None:
    """With a refusal and a leaver between: whoever was told no stays so, and members are who was entered since."""
    here = install("opt-in", maxRemovals=10)
    opted_out, refused, leaver, other = here.people[:4]
    here.select([opted_out, refused, leaver])
    await here.run()
    assert here.shown() == {opted_out, refused, leaver}

    here.kind = "opt-out"
    here.edit()
    here.engage.faults({"kind": "status", "method": "PATCH", "status": 422, "path": refused})
    status = await here.run()
    assert status.members == 2
    here.select([opted_out, refused])
    await here.run()
    here.engage.faults()
    here.kind = "opt-in"
    here.select([opted_out, refused, leaver, other])
    await here.run()
    status = await here.run()

    assert here.shown() == {refused, other}
    assert status.members == 2


@pytest.mark.parametrize("was_member", [True, False])
async def test_decline_accept_decline_sends_the_opt_out_again(install: Install, was_member: bool) -> None:
    """The person has said yes meanwhile."""
    here = install("opt-out")
    [contact] = here.people[:1]
    here.decide(contact, True)
    here.select([contact])
    await here.run()
    assert contact in here.shown()
    here.decide(contact, True)
    if was_member:
        await here.run()

    here.kind = "opt-in"
    here.edit()
    await here.run()
    here.kind = "opt-out"
    here.edit()
    status = await here.run()

    assert contact in here.shown()
    assert (reason(status), status.members) == ("Succeeded", 1)


async def test_zeros_before_a_port_make_no_other_target(settled: Any) -> None:
    here = await settled(deletionPolicy="Withdraw")
    writes = here.engage.requests()["writes"]
    host, port = here.engage.url.rsplit(":", 1)
    here.move(url=f"{host}:0{port}")

    status = await here.run()

    assert (reason(status), status.members) == ("Succeeded", 40)
    assert here.shown() == set(here.people)
    assert here.engage.requests()["writes"] == writes
