"""A change that nobody answered for may have been done, whatever becomes of the contact in later runs."""

import shutil

import pytest
from voyado_operator.domain.contact import Contact
from voyado_operator.domain.delivery import Entry
from voyado_operator.engage.client import EngageClient
from voyado_operator.ledger import changelog

from tests.component.conftest import Install
from tests.component.installation import Killed

UNREADABLE = {"kind": "garbage", "method": "PATCH"}
UNREADABLE_TRIGGER = {"kind": "garbage", "method": "POST"}
REFUSED = {"kind": "status", "method": "PATCH", "status": 422}


async def test_a_label_that_was_set_without_an_answer_and_refused_later_is_still_taken_off(install: Install) -> None:
    here = install("single")
    member, contact = here.people[:2]
    here.select([member])
    await here.run()
    here.select([member, contact])
    here.engage.faults(UNREADABLE)
    await here.run()
    here.engage.faults(REFUSED)
    await here.run()
    here.engage.faults()
    assert here.shown() == {member, contact}, "it was done"

    here.select([member])
    await here.run()

    assert here.shown() == {member}


async def test_a_first_run_with_an_unanswered_change_forgets_nobody(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first run of which everything was acknowledged becomes the ledger's base as it is; this one must not."""
    monkeypatch.setattr(changelog, "SMALLEST_REBASE", 2)
    here = install("single")
    people = here.people[:5]
    here.select(people)
    here.engage.faults({**UNREADABLE, "times": 1})
    await here.run()
    ledger = here.opened_ledger()
    [unanswered] = [one for one in people if ledger.records(one)[0][0] == Entry.ASKED]
    assert ledger._log.base

    here.select([one for one in people if one != unanswered])
    await here.settle()

    assert here.shown() == set(people) - {unanswered}


async def test_a_read_back_may_be_older_than_the_change(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    here = install("bulk", people=26)
    members, more = here.people[:12], here.people[12:]
    here.engage.configure(bulkStatusShape="opaque")
    here.select(members)
    await here.run()
    read = EngageClient.read

    async def stale(client: EngageClient, contact: str, *priority: object) -> object:
        return Contact() if contact in more else await read(client, contact, *priority)  # type: ignore[arg-type]

    here.select(here.people)
    with monkeypatch.context() as patch:
        patch.setattr(EngageClient, "read", stale)
        await here.run()
    assert set(more) <= here.shown()

    here.select(members)
    await here.run()

    assert here.shown() == set(members)


async def test_an_approval_fires_a_trigger_again_once(install: Install) -> None:
    here = install("trigger")
    [contact] = here.people[:1]
    here.select([contact])
    here.engage.faults(UNREADABLE_TRIGGER)
    await here.run()
    await here.run()
    await here.approve()
    assert here.fired_for(contact) == ["add", "add"]

    await here.run()

    assert here.fired_for(contact) == ["add", "add"], "nobody has approved anything since"


async def test_who_approves_a_large_plan_does_not_approve_to_fire_twice(install: Install) -> None:
    here = install("trigger", maxAdditions=1)
    here.select(here.people[:2])
    await here.run()
    here.engage.faults(UNREADABLE_TRIGGER)
    await here.approve()
    here.engage.faults()

    await here.run()

    assert [here.fired_for(one) for one in here.people[:2]] == [["add"], ["add"]]


async def test_an_approval_is_gone_with_the_ledger_that_it_was_about(install: Install) -> None:
    here = install("trigger", maxAdditions=1)
    here.select(here.people[:3])
    await here.run()
    here.engage.faults({"kind": "status", "method": "POST", "times": 1, "status": 422})
    await here.approve()
    here.engage.faults()
    shutil.rmtree(here.ledger())

    await here.run()

    assert all(len(here.fired_for(one)) <= 1 for one in here.people[:3])


@pytest.mark.parametrize("has_said_yes", [False, True])
async def test_who_was_never_sent_anything_is_told_no_by_nobody(
    install: Install, monkeypatch: pytest.MonkeyPatch, has_said_yes: bool
) -> None:
    """Announced, then killed; the contact leaves before the next run."""
    here = install("consent")
    member, contact = here.people[:2]
    here.select([member])
    await here.run()
    here.select([member, contact])

    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(EngageClient, "update_if", die)
        with pytest.raises(Killed):
            await here.run()
    await here.restart()
    if has_said_yes:
        here.decide(contact, True)

    here.select([member])
    await here.run()

    said = {one["id"]: one["value"] for one in here.engage.contact(contact)["consents"]}
    assert said == ({"memberTerms": True} if has_said_yes else {})


async def test_a_trigger_of_a_contact_that_is_gone_waits_for_nobody(install: Install) -> None:
    here = install("trigger")
    gone, other = here.people[:2]
    here.select([gone, other])
    here.engage.faults(UNREADABLE_TRIGGER)
    await here.run()
    here.engage.faults()
    here.engage.remove(gone)

    await here.run()
    await here.approve()
    status = await here.run()

    assert status.plan is None
    assert status.last_run is not None
    assert status.last_run.outcome == "Partial", "parked, and not blocked"
    here.select([other])
    assert (await here.run()).conditions[0].reason == "Succeeded"
