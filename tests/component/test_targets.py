"""Each target against the simulator: what is written, and what is believed of the answers."""

from typing import Any

import pytest
from voyado_operator.domain.consent import OptIn
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.domain.errors import CredentialsInvalid, EngageUnavailable, TargetNotFound
from voyado_operator.engage.client import EngageClient
from voyado_operator.reconcile.ports import Delivered
from voyado_operator.targets import bulk
from voyado_operator.targets.consent import Consent
from voyado_operator.targets.label_attribute import LabelAttribute
from voyado_operator.targets.preference import Preference
from voyado_operator.targets.singly import IN_FLIGHT

from tests.engage import EngageAdmin

GONE = "2f6b8a0e-0000-4000-8000-000000000001"


def results(delivered: Delivered) -> dict[str, Result]:
    found = {outcome.contact_id: outcome.result for outcome in delivered.others}
    found |= dict.fromkeys(delivered.accepted, Result.ACCEPTED)
    assert len(found) == len(delivered.others) + len(delivered.accepted), "one outcome per contact"
    return found


@pytest.fixture
def label(client: EngageClient) -> LabelAttribute:
    return LabelAttribute(client, "label_vip", bulk.MOST_IN_FLIGHT)


async def test_a_label_is_added_and_removed_in_bulk(
    label: LabelAttribute, engage: EngageAdmin, people: list[str]
) -> None:
    added = await label.apply(Operation.ADD, people)
    assert results(added) == dict.fromkeys(people, Result.ACCEPTED)
    assert engage.attribute("label_vip") == set(people)

    await label.apply(Operation.REMOVE, people[:15])
    assert engage.attribute("label_vip") == set(people[15:])
    assert engage.requests()["byOperation"]["PATCH /contacts/bulk"] == 2


async def test_a_few_go_one_by_one(label: LabelAttribute, engage: EngageAdmin, people: list[str]) -> None:
    await label.apply(Operation.ADD, people[:10])
    assert "PATCH /contacts/bulk" not in engage.requests()["byOperation"]
    assert engage.attribute("label_vip") == set(people[:10])


@pytest.mark.parametrize("shape", ["detailed", "counts", "opaque"])
async def test_a_refused_row_is_found_out_in_every_shape_of_the_status(
    label: LabelAttribute, engage: EngageAdmin, people: list[str], shape: str
) -> None:
    engage.configure(bulkStatusShape=shape)
    for one in people[::2]:
        engage.remove(one)

    added = await label.apply(Operation.ADD, people)

    expected = {one: Result.REJECTED if one in people[::2] else Result.ACCEPTED for one in people}
    assert results(added) == expected
    assert engage.attribute("label_vip") == set(people[1::2])


async def test_a_status_that_tells_nothing_is_believed_after_a_look_at_twenty(
    label: LabelAttribute, engage: EngageAdmin, people: list[str]
) -> None:
    engage.configure(bulkStatusShape="opaque")

    added = await label.apply(Operation.ADD, people)

    assert set(results(added).values()) == {Result.ACCEPTED}
    assert engage.requests()["byOperation"]["GET /contacts/{id}"] == bulk.READ_BACK


async def test_a_batch_that_does_not_end_is_unknown(
    label: LabelAttribute, engage: EngageAdmin, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engage.configure(bulkStatusShape="never")
    monkeypatch.setattr(bulk, "PATIENCE", 0.5)

    assert results(await label.apply(Operation.ADD, people)) == dict.fromkeys(people, Result.UNKNOWN)


@pytest.mark.parametrize("kind", ["resetAfter", "garbage"])
async def test_a_batch_nobody_confirms_is_unknown(
    label: LabelAttribute, engage: EngageAdmin, people: list[str], kind: str
) -> None:
    engage.faults({"kind": kind, "path": "/bulk$"})

    assert results(await label.apply(Operation.ADD, people)) == dict.fromkeys(people, Result.UNKNOWN)


async def test_a_batch_that_was_not_taken_stops_the_run(
    label: LabelAttribute, engage: EngageAdmin, people: list[str]
) -> None:
    engage.faults({"kind": "status", "status": 400, "path": "/bulk$"})

    delivered = await label.apply(Operation.ADD, people)

    assert results(delivered) == {}
    assert isinstance(delivered.stopped, EngageUnavailable)
    assert 'mode: "Off"' in str(delivered.stopped)


async def test_removing_who_is_gone_is_done_and_adding_is_not(label: LabelAttribute, people: list[str]) -> None:
    removed = await label.apply(Operation.REMOVE, [people[0], GONE])
    added = await label.apply(Operation.ADD, [people[0], GONE])

    assert results(removed) == {people[0]: Result.ACCEPTED, GONE: Result.ACCEPTED}
    assert results(added) == {people[0]: Result.ACCEPTED, GONE: Result.REJECTED}


async def test_a_revoked_key_stops_and_keeps_what_was_done(
    label: LabelAttribute, engage: EngageAdmin, people: list[str]
) -> None:
    engage.faults({"kind": "status", "status": 401, "path": people[5]})

    delivered = await label.apply(Operation.ADD, people[:10])

    accepted = {one for one, result in results(delivered).items() if result is Result.ACCEPTED}
    assert isinstance(delivered.stopped, CredentialsInvalid)
    assert accepted <= engage.attribute("label_vip")
    assert people[5] not in accepted


PREFERENCES = {"Email": "acceptsEmail", "Sms": "acceptsSms", "Postal": "acceptsPostal"}


@pytest.mark.parametrize("channel", PREFERENCES)
@pytest.mark.parametrize(
    ("on_enter", "on_exit", "entered", "left"),
    [
        ("Accept", "Decline", "true", "false"),
        ("Accept", "Keep", "true", "true"),
        ("Decline", "Keep", "false", "false"),
        ("Decline", "Decline", "false", "false"),
    ],
)
async def test_a_preference_is_written_as_the_manifest_says(
    client: EngageClient,
    engage: EngageAdmin,
    people: list[str],
    channel: str,
    on_enter: str,
    on_exit: str,
    entered: str,
    left: str,
) -> None:
    target = Preference(client, channel, on_enter, on_exit, 200).judged_by(lambda *_: OptIn.WRITE)
    await target.apply(Operation.ADD, people)
    assert engage.preference(PREFERENCES[channel])[entered] == set(people)

    writes = engage.requests()["writes"]
    removed = await target.apply(Operation.REMOVE, people)

    assert engage.preference(PREFERENCES[channel])[left] == set(people)
    assert results(removed) == dict.fromkeys(people, Result.ACCEPTED)
    assert (engage.requests()["writes"] == writes) == (on_exit == "Keep")
    others = PREFERENCES.keys() - {channel}
    assert all(not engage.preference(PREFERENCES[one])["true"] for one in others)


async def test_a_consent_carries_its_source_and_purpose(
    client: EngageClient, engage: EngageAdmin, people: list[str]
) -> None:
    target = Consent(client, "memberTerms", "newsletter (run 1)", "Accept", "Keep", 200)
    await target.judged_by(lambda *_: OptIn.WRITE).apply(Operation.ADD, people[:1])

    [consent] = (await raw(client, people[0]))["consents"]
    assert consent.pop("date")
    assert consent == {
        "id": "memberTerms",
        "value": True,
        "source": "voyado-operator",
        "comment": "newsletter (run 1)",
    }


@pytest.mark.parametrize(("consent", "exists"), [("memberTerms", True), ("unheardOf", False)])
async def test_a_consent_is_checked_before_it_is_written(client: EngageClient, consent: str, exists: bool) -> None:
    target = Consent(client, consent, "", "Decline", "Keep", 200)
    if exists:
        await target.check()
    else:
        with pytest.raises(TargetNotFound, match="it has memberTerms"):
            await target.check()


async def raw(client: EngageClient, contact_id: str) -> dict[str, Any]:
    answer = await client._transport.send("read contact", "GET", f"/api/v3/contacts/{contact_id}")
    body: dict[str, Any] = answer.body
    return body


async def test_when_engage_goes_quiet_the_rest_is_left_for_the_next_run(
    label: LabelAttribute, engage: EngageAdmin, people: list[str]
) -> None:
    label.batch_size = 200  # one by one
    engage.faults({"kind": "resetAfter", "method": "PATCH"})

    many = people * (2 * IN_FLIGHT // len(people))
    delivered = await label.apply(Operation.ADD, many)

    assert isinstance(delivered.stopped, EngageUnavailable)
    assert {outcome.result for outcome in delivered.others} == {Result.UNKNOWN}
    assert len(delivered.accepted) + len(delivered.others) < len(many)


async def test_a_batch_that_was_handed_in_is_unknown_when_the_key_is_revoked_before_its_status(
    label: LabelAttribute, engage: EngageAdmin, people: list[str]
) -> None:
    engage.faults({"kind": "status", "status": 401, "path": "status$"})

    added = await label.apply(Operation.ADD, people)

    assert isinstance(added.stopped, CredentialsInvalid)
    assert results(added) == dict.fromkeys(people, Result.UNKNOWN)
