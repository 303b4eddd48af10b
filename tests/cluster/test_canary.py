"""A tenant that behaves otherwise than hoped is found out on one contact, which is put back as far as it may be."""

from typing import Any

import pytest

from tests.cluster.test_optin import consenting, subscribing
from tests.cluster.world import CONNECTIONS, World, condition, ready

KEPT = ("attributes", "preferences")


def told(world: World, number: int) -> dict[str, Any]:
    """What Engage shows of the people, but for when it was."""
    shown = {one: world.engage.contact(one) for one in world.people(number)}
    return {one: without_dates(contact) for one, contact in shown.items()}


def without_dates(contact: dict[str, Any]) -> dict[str, Any]:
    consents = {consent["id"]: consent["value"] for consent in contact["consents"]}
    attributes = {name: value for name, value in contact["attributes"].items() if value is not None}
    return {"attributes": attributes, "preferences": contact["preferences"], "consents": consents}


def assert_caught(world: World, status: dict[str, Any], said: str) -> None:
    assert ready(status)["reason"] == "TargetUnsafe"
    assert condition(status, "Stalled") is not None
    assert said in ready(status)["message"]
    assert (status["members"], status["lastRun"]["accepted"]) == (0, 0)
    assert "capabilities" not in world.status("engage", CONNECTIONS)


def assert_put_back(world: World, before: dict[str, Any], status: dict[str, Any]) -> None:
    assert "it was put back as it was" in ready(status)["message"]
    assert {one: without_dates(world.engage.contact(one)) for one in before} == before


def assert_one_stays_harmed(world: World, before: dict[str, Any], status: dict[str, Any], said: str) -> None:
    """A yes is not written for anybody."""
    assert f"could NOT be put back as it was; {said} of 1 contact(s) stays as it is now" in ready(status)["message"]
    changed = [one for one in before if without_dates(world.engage.contact(one)) != before[one]]
    assert len(changed) == 1


def test_consents_that_are_replaced(world: World) -> None:
    world.engage.configure(consents={"partnerTerms": "Partner terms"}, quirks=["consentsReplaced"])
    people = world.people(12)
    for one in people:
        world.engage.decide(one, consents={"partnerTerms": True, "memberTerms": False})
    before = {one: without_dates(world.engage.contact(one)) for one in people}
    world.select(people)
    world.connect()
    target = {"consent": {"id": "memberTerms", "onEnter": "Decline", "onExit": "Keep"}}

    status = world.start(consenting(world, target=target))

    assert_caught(world, status, "the consent partnerTerms changed too")
    assert_one_stays_harmed(world, before, status, "the consent partnerTerms")


def test_a_sibling_preference_that_is_reset(world: World) -> None:
    world.engage.configure(quirks=["siblingPreferenceReset"])
    people = world.people(12)
    for one in people:
        world.engage.decide(one, preferences={"acceptsSms": True})
    before = {one: without_dates(world.engage.contact(one)) for one in people}
    world.select(people)
    world.connect()

    status = world.start(subscribing(world))

    assert_caught(world, status, "the preference acceptssm changed too")
    assert_one_stays_harmed(world, before, status, "the preference acceptssm")


@pytest.mark.parametrize(
    ("number", "tenant"),
    [
        (3, {"quirks": ["unknownAttributeIgnored"], "said": "label_new was not set to true"}),
        (
            3,
            {"quirks": ["textCoerced"], "attributes": {"label_new": "string"}, "said": "label_new was not set to true"},
        ),
        (30, {"quirks": ["bulkIgnoresContactId"], "attributes": {"label_new": "boolean"}, "said": 'mode: "Off"'}),
        (30, {"quirks": ["bulkCreates"], "attributes": {"label_new": "boolean"}, "said": 'mode: "Off"'}),
    ],
    ids=["unknown attribute ignored", "text attribute", "bulk by contactId not understood", "bulk creates contacts"],
)
def test_a_label_that_does_not_stick(world: World, number: int, tenant: dict[str, Any]) -> None:
    said = tenant.pop("said")
    world.engage.configure(**tenant)
    before = told(world, number)
    world.select(list(before))
    world.connect()

    status = world.start(world.activation(target={"label": {"name": "new"}}))

    assert_caught(world, status, said)
    assert_put_back(world, before, status)
    assert world.writes <= 3, "nobody else was touched"


def test_an_attribute_that_engage_refuses_stops_after_ten(world: World) -> None:
    people = world.people(50)
    world.select(people)
    world.connect(bulk={"mode": "Off"})

    status = world.start(world.activation(target={"label": {"name": "unheard-of"}}))

    assert ready(status)["reason"] == "TargetUnsafe"
    assert "took none of the first 10 changes (ValidationError)" in ready(status)["message"]
    assert world.writes == 10


def test_what_works_is_proven_once(world: World) -> None:
    people = world.people(40)
    world.select(people[:30])
    world.connect()
    world.start(world.activation())

    def shown(status: dict[str, Any]) -> set[tuple[str, str, str]]:
        return {(one["target"], one["route"], one["mode"]) for one in status.get("capabilities", [])}

    world.await_status(lambda status: shown(status) == {("label", "attribute", "Bulk")}, "engage", CONNECTIONS)

    world.engage.reset_requests()
    world.select(people)
    world.run()
    world.select(people[:-1])
    world.run()
    reads = world.engage.requests()["byOperation"]["GET /contacts/{id}"]
    assert reads == 2, "one change proves single calls; the other goes as it is"
    world.await_status(lambda status: len(shown(status)) == 2, "engage", CONNECTIONS)

    world.connect(requestsPerSecond=100)  # another generation proves itself anew
    world.await_status(lambda status: "capabilities" not in status, "engage", CONNECTIONS)


def test_a_label_by_custom_trigger(world: World) -> None:
    people = world.people(5)
    world.select(people[:4])
    world.connect(labels={"customTrigger": {"triggerId": "sync-label"}})
    world.start(world.activation())
    assert world.engage.labelled("vip") == set(people[:4])

    world.select(people[1:])
    status = world.run()

    assert world.engage.labelled("vip") == set(people[1:])
    assert status["members"] == 4
    payloads = [(one["triggerId"], one["payload"]) for one in world.engage.fired()]
    assert payloads.count(("sync-label", {"label": "vip", "action": "add"})) == 5
    assert payloads.count(("sync-label", {"label": "vip", "action": "remove"})) == 1


def test_a_trigger_that_was_not_answered_is_fired_again_only_when_a_person_says_so(world: World) -> None:
    people = world.people(3)
    world.select(people)
    world.connect(labels={"customTrigger": {"triggerId": "sync-label"}})
    world.engage.faults({"kind": "garbage", "method": "POST", "path": people[0]})
    status = world.start(world.activation())
    assert (status["lastRun"]["unknown"], status["members"]) == (1, 2)
    world.engage.faults()

    status = world.run()
    assert ready(status)["reason"] == "GuardBlocked"
    assert "may have been fired already" in ready(status)["message"]
    assert len(world.engage.fired()) == 3

    digest = status["plan"]["digest"]
    world.annotate("vip", "approve", digest)
    status = world.await_status(lambda status: status.get("lastHandledApproval") == digest)
    assert (len(world.engage.fired()), status["members"]) == (4, 3)
    assert ready(world.run())["reason"] == "Succeeded"


ENDPOINT = {
    "add": {"method": "PUT", "path": "/api/v3/contacts/{contactId}/labels/{label}"},
    "remove": {"method": "DELETE", "path": "/api/v3/contacts/{contactId}/labels/{label}"},
}


def test_a_label_by_an_endpoint_of_the_tenant(world: World) -> None:
    world.engage.configure(labelOperation=True)
    people = world.people(5)
    world.select(people[:4])
    world.connect(labels={"endpoint": ENDPOINT})
    world.start(world.activation())
    world.select(people[1:])

    status = world.run()

    assert world.engage.labelled("vip") == set(people[1:])
    assert (status["members"], ready(status)["reason"]) == (4, "Succeeded")


def test_activations_that_share_contacts_can_be_new_at_once(world: World) -> None:
    """Each tries its change on a contact on which others try theirs; none may take that for harm."""
    names = [f"tier-{number}" for number in range(8)]
    world.engage.configure(attributes={f"label_{name}": "boolean" for name in names})
    people = world.people(2)
    world.select(people)
    world.connect()
    world.await_reason("Succeeded", "engage", CONNECTIONS)

    world.apply(*(world.activation(name, target={"label": {"name": name}}, schedule={"every": "1h"}) for name in names))

    for name in names:
        status = world.await_status(lambda status: ready(status).get("status") in ("True", "False"), name)
        assert ready(status)["reason"] == "Succeeded"
        assert world.engage.attribute(f"label_{name}") == set(people)
