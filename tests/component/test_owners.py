"""Whose a target is: whoever claimed it, until the last of its requests is answered, or it is gone."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.targets.label_attribute import LabelAttribute

from tests.component.beside import Beside
from tests.component.conftest import Install
from tests.component.installation import TARGETS, Installation

LABEL, OTHER = {"label": {"name": "vip"}}, {"label": {"name": "gold"}}


def reason(status: SegmentActivationStatus) -> str:
    return status.conditions[0].reason


@pytest.fixture
def here(install: Install) -> Installation:
    one = install("single", people=60)
    one.engage.configure(attributes={"label_vip": "boolean", "label_gold": "boolean"})
    return one


NEVER_RAN: dict[str, dict[str, Any]] = {
    "suspended": {"suspend": True},
    "only planning": {"mode": "Plan"},
    "without a connection": {"connectionRef": {"name": "not-there"}},
}


@pytest.mark.parametrize("spec", NEVER_RAN.values(), ids=NEVER_RAN)
async def test_an_older_one_that_never_ran_holds_up_nobody(here: Installation, spec: dict[str, Any]) -> None:
    older = Beside(here, "older", age=9, target=LABEL, **spec)
    await older.step()
    here.select(here.people[:3])

    assert reason(await here.run()) == "Succeeded"
    assert here.shown() == set(here.people[:3])


async def test_an_older_one_elsewhere_whose_key_is_refused_holds_up_nobody(here: Installation) -> None:
    """In a namespace of its own it names our tenant and our target, and will never run."""
    connection, older = (one.model_dump(mode="json", by_alias=True) for one in (here.connection(), here.activation()))
    for one in (connection, older):
        one["metadata"] |= {"namespace": "sales", "uid": "theirs", "creationTimestamp": "2020-01-01T00:00:00Z"}
    connection["status"]["conditions"][0] |= {"status": "False", "reason": "CredentialsInvalid"}
    here.registry.connection_seen(type(here.connection()).model_validate(connection))
    here.registry.activation_seen(type(here.activation()).model_validate(older))
    here.select(here.people[:3])

    assert reason(await here.run()) == "Succeeded"
    assert here.shown() == set(here.people[:3])


async def test_without_an_owner_the_older_goes_first(here: Installation) -> None:
    older = Beside(here, "older", age=9, target=LABEL)
    older.select(here.people[:2])
    here.select(here.people[2:4])

    await here.run()
    assert here.shown() == set(), "it waits for the older one, which is due"
    await older.step()
    status = await here.run()

    assert here.shown() == set(here.people[:2])
    assert reason(status) == "TargetConflict"
    assert "marketing/older" in status.conditions[0].message


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": shutil.rmtree,
    "cut short": lambda ledger: [file.write_bytes(file.read_bytes()[:40]) for file in ledger.rglob("*.json")],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_an_owner_whose_ledger_is_lost_stays_the_owner(
    here: Installation, damage: Callable[[Path], object]
) -> None:
    """By its status it has claimed the target; another one that runs before it, and is older, finds no such ledger."""
    here.select(here.people[:3])
    await here.run()
    damage(here.ledger())
    older = Beside(here, "older", age=9, target=LABEL)
    older.select(here.people[3:5])

    assert reason(await older.run()) == "TargetConflict"
    assert reason(await here.run()) == "Succeeded"
    assert here.shown() == set(here.people[:3])


@pytest.mark.parametrize("how", ["edited away", "gone"])
async def test_who_waits_runs_by_itself_when_the_target_is_released(here: Installation, how: str) -> None:
    owner = Beside(here, "owner", age=9, target=LABEL)
    owner.select(here.people[:2])
    await owner.run()
    here.select(here.people[2:5])
    assert reason(await here.run()) == "TargetConflict"

    if how == "gone":
        owner.is_gone()
    else:
        owner.edit(target=OTHER)
        await owner.step()
    await here.step()

    assert reason(here.life.status) == "Succeeded"
    assert here.shown() == set(here.people[:5]), "the other one's people keep the label"
    assert here.life.status.members == 3


async def test_who_waits_begins_when_the_owner_has_released_it(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the owner is edited: its requests may still be under way then."""
    owner, sending, is_answered = Beside(here, "owner", age=9, target=LABEL), asyncio.Event(), asyncio.Event()
    apply = LabelAttribute.apply

    async def held(*given: Any) -> Any:
        sending.set()
        await is_answered.wait()
        return await apply(*given)

    monkeypatch.setattr(LabelAttribute, "apply", held)
    owner.select(here.people[:30])
    here.select(here.people[30:33])
    under_way = asyncio.create_task(owner.step())
    await asyncio.wait_for(sending.wait(), 10)
    owner.edit(target=OTHER)
    waiting = asyncio.create_task(here.run())
    is_answered.set()

    await under_way
    assert reason(await waiting) == "TargetConflict"
    assert here.shown() == set(here.people[:30])

    await owner.step()
    await here.step()
    assert reason(here.life.status) == "Succeeded"
    assert here.shown() == set(here.people[:33])


async def test_two_that_change_places_leave_each_others_people_alone(here: Installation) -> None:
    """With Retain. A ring: each wants what the other has, and the older lets go first."""
    other = Beside(here, "other", target=OTHER)
    here.select(here.people[:30])
    other.select(here.people[30:])
    await here.run()
    await other.run()

    here.edit(target=OTHER)
    other.edit(target=LABEL)
    for _ in range(3):
        await here.run()
        await other.run()

    assert (reason(here.life.status), reason(other.life.status)) == ("Succeeded", "Succeeded")
    assert here.engage.attribute("label_vip") == set(here.people)
    assert here.engage.attribute("label_gold") == set(here.people)
    assert (here.life.status.members, other.life.status.members) == (30, 30)


async def test_a_ring_that_is_undone_ends(here: Installation) -> None:
    other = Beside(here, "other", target=OTHER)
    here.select(here.people[:3])
    other.select(here.people[3:6])
    await here.run()
    await other.run()
    here.edit(target=OTHER)
    other.edit(target=LABEL)
    await other.run()
    await here.run()

    here.edit(target=LABEL)
    other.edit(target=OTHER)
    for _ in range(3):
        await here.run()
        await other.run()

    assert (reason(here.life.status), reason(other.life.status)) == ("Succeeded", "Succeeded")
    assert (here.life.status.members, other.life.status.members) == (3, 3)


async def test_a_ring_with_withdraw_is_opened_by_a_plan_that_waits(here: Installation) -> None:
    other = Beside(here, "other", target=OTHER)
    here.edit(deletionPolicy="Withdraw")
    here.select(here.people[:30])
    other.select(here.people[30:])
    await here.run()
    await other.run()
    here.edit(target=OTHER)
    other.edit(target=LABEL)
    await other.run()

    status = await here.run()
    assert reason(status) == "GuardBlocked"
    assert here.engage.attribute("label_vip") == set(here.people[:30])
    await here.approve()
    await other.run()
    await here.run()

    assert here.engage.attribute("label_vip") == set(here.people[30:])
    assert here.engage.attribute("label_gold") == set(here.people)


async def test_the_same_name_by_another_route_is_another_target(here: Installation) -> None:
    here.select(here.people[:2])
    await here.run()
    by_trigger = here.connection().model_dump(mode="json", by_alias=True)
    by_trigger["spec"]["labels"] = {"customTrigger": {"triggerId": "sync"}}
    by_trigger["metadata"]["name"] = "by-trigger"
    here.registry.connection_seen(type(here.connection()).model_validate(by_trigger))
    other = Beside(here, "other", target=LABEL, connectionRef={"name": "by-trigger"})
    other.select(here.people[:2])

    assert reason(await other.run()) == "Succeeded"
    assert reason(await here.run()) == "Succeeded"


async def test_two_contact_types_share_a_target(here: Installation) -> None:
    here.move(contactType="Member")
    described = here.connection().model_dump(mode="json", by_alias=True)
    described["spec"]["contactType"] = "Contact"
    described["metadata"]["name"] = "contacts"
    here.registry.connection_seen(type(here.connection()).model_validate(described))
    other = Beside(here, "other", target=LABEL, connectionRef={"name": "contacts"})
    here.select(here.people[:3])
    other.select(here.people[3:5])
    for _ in range(2):
        assert reason(await here.run()) == "Succeeded"
        assert reason(await other.run()) == "Succeeded"

    here.select(here.people[1:3])
    await here.run()

    assert (here.life.status.members, other.life.status.members) == (2, 2)
    assert here.shown() == set(here.people[1:5])


async def another_cluster(here: Installation) -> None:
    """The same manifests in another cluster, with the same ledger root."""
    await here.apply_again()
    here.life._around = replace(here.around, cluster_uid="another")


async def test_a_person_hands_over_what_an_owner_can_never_release(here: Installation) -> None:
    here.select(here.people[:3])
    await here.run()
    former = here.opened_ledger()
    await another_cluster(here)
    here.select(here.people[1:4])
    status = await here.run()
    assert reason(status) == "TargetConflict"
    assert "kubectl voyado take-over -n marketing vip --from uid/marketing/vip" in status.conditions[0].message

    here.annotations["takeOver"] = "uid/marketing/vip 2026-11-30"
    status = await here.run()

    assert reason(status) == "Succeeded"
    assert here.shown() == set(here.people[:4]), "another owner's records are no leavings"
    assert list(here.opened_ledger().info.owners) == ["another/marketing/vip"]
    with pytest.raises(Exception, match="another writer committed"):
        former.fence()


@pytest.mark.parametrize("said", ["uid/marketing/other 1", "uid/marketing/vip-2 1", "another 1", "   "])
async def test_a_hand_over_names_the_owner(here: Installation, said: str) -> None:
    here.select(here.people[:3])
    await here.run()
    await another_cluster(here)
    here.annotations["takeOver"] = said

    assert reason(await here.run()) == "TargetConflict"


async def test_a_hand_over_that_was_carried_out_is_not_done_again(here: Installation) -> None:
    """The annotation stays in Git; meanwhile a person hands the target back."""
    here.select(here.people[:3])
    await here.run()
    await another_cluster(here)
    here.annotations["takeOver"] = "uid/marketing/vip 1"
    assert reason(await here.run()) == "Succeeded"
    here.life._around = replace(here.around, cluster_uid="uid")
    here.annotations["takeOver"] = "another/marketing/vip 2"
    assert reason(await here.run()) == "Succeeded"

    here.life._around = replace(here.around, cluster_uid="another")
    here.annotations["takeOver"] = "uid/marketing/vip 1"

    assert reason(await here.run()) == "TargetConflict"


@pytest.mark.parametrize("how", ["gone", "edited away", "gone, then a restart"])
async def test_who_goes_on_for_another_knows_what_that_one_knew(install: Install, how: str) -> None:
    """As under another name. After a restart nobody vouches for the ledger: in a backup a no may be missing."""
    here = install("opt-in")
    owner = Beside(here, "owner", age=9, target=here.activation().spec.target.manifest())
    owner.select(here.people[:2])
    await owner.run()
    assert here.shown() == set(here.people[:2])
    if how == "edited away":
        owner.edit(target=LABEL, governance=None)
        await owner.step()
    else:
        owner.is_gone()
    if "restart" in how:
        await here.restart()
    here.select(here.people[:4])

    status = await here.run()

    assert status.members == (2 if "restart" in how else 4)
    assert here.shown() == set(here.people[: status.members])


async def test_who_a_list_opted_out_that_is_gone_is_not_opted_in(install: Install) -> None:
    here = install("opt-in")
    opted_out, other = here.people[:2]
    opt_outs = Beside(here, "opt-outs", age=9, target=TARGETS["opt-out"])
    opt_outs.select([opted_out])
    assert reason(await opt_outs.run()) == "Succeeded"
    opt_outs.is_gone()
    here.select([opted_out, other])

    status = await here.run()

    assert here.shown() == {other}
    assert (reason(status), status.members) == ("Succeeded", 1)


async def test_two_operators_with_one_root_know_of_one_owner(install: Install) -> None:
    """They watch different namespaces, spell the tenant differently, and want the opposite of each other."""
    here, elsewhere = install("opt-in"), install("opt-out")
    host, port = here.engage.url.rsplit(":", 1)
    elsewhere.registry.activation_gone(elsewhere.activation())
    elsewhere.move(url=f"{host}:0{port}")
    other = Beside(elsewhere, "opt-outs", target=TARGETS["opt-out"])
    here.select(here.people[:2])
    await here.run()

    status = await other.run_with(here.people[:1])

    assert reason(status) == "TargetConflict"
    assert "marketing/vip" in status.conditions[0].message
    assert here.shown() == set(here.people[:2])
