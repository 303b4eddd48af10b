"""A person's no is never written over, whenever it is said: between two requests, or while an answer is awaited."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from voyado_operator.domain.delivery import UNANSWERED
from voyado_operator.engage import transport
from voyado_operator.engage.answers import ItemAnswer, ItemStatus
from voyado_operator.engage.client import WITHHELD, EngageClient

from tests.component.conftest import Install
from tests.component.installation import OPT_INS, Installation, Killed, Warehouse, killed_at
from tests.engage import EngageAdmin

NO: dict[str, dict[str, Any]] = {
    "opt-in": {"preferences": {"acceptsEmail": False}},
    "consent": {"consents": {"memberTerms": False}},
}
NOT_DONE = [{"kind": "status", "status": 429, "retryAfter": 0}, {"kind": "status", "status": 503}]
MAY_BE_DONE = [
    {"kind": "resetAfter"},
    {"kind": "garbage"},
    {"kind": "slowAnswer", "seconds": 0.5},
]
each_opt_in = pytest.mark.parametrize("kind", OPT_INS)


def has_something_to_lose(here: Installation, contact: str) -> None:
    """So that the contact's opt-in proves what such a change does, and the next ones are not looked at before."""
    here.engage.configure(consents={"memberTerms": "Member terms", "partnerTerms": "Partner terms"})
    here.engage.decide(contact, preferences={"acceptsSms": True}, consents={"partnerTerms": True})


async def proven(install: Install, kind: str, **guards: Any) -> Installation:
    """With a member, whose opt-in has shown what such a change does."""
    here = install(kind, **guards)
    has_something_to_lose(here, here.people[0])
    here.select(here.people[:1])
    await here.run()
    assert here.shown() == {here.people[0]}
    return here


async def proven_from_a_warehouse(install: Install, kind: str, folder: Path) -> tuple[Installation, Warehouse]:
    """As `proven`; the next audiences are rows."""
    here = install(kind)
    warehouse = Warehouse(here, folder)
    has_something_to_lose(here, here.people[0])
    warehouse.holds((here.people[0], None, None))
    await here.run()
    return here, warehouse


def said_no_at_the_first_write(here: Installation, people: list[str]) -> None:
    """Everybody but the one who is written."""
    here.engage.about_to_decide(
        *({"contact": one, "changes": NO["consent"], "method": "PATCH", "path": f"/(?!{one})[^/]*$"} for one in people)
    )


async def test_a_no_that_is_said_while_others_are_opted_in(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voyado_operator.targets.singly.IN_FLIGHT", 1)
    monkeypatch.setattr("voyado_operator.reconcile.lanes.LANES", 1)
    monkeypatch.setattr("voyado_operator.targets.build.SECONDS_PER_BATCH", 20)
    here = await proven(install, "consent")
    here.select(here.people[:10])
    said_no_at_the_first_write(here, here.people[1:10])

    status = await here.run()

    assert len(here.shown()) == 2, "the member, and the one who was written before the others said no"
    assert status.last_run is not None
    assert (status.last_run.accepted, status.last_run.declined) == (1, 8)


async def test_a_no_that_is_said_while_the_first_change_is_tried(install: Install) -> None:
    here = install("consent")
    here.select(here.people[:9])
    said_no_at_the_first_write(here, here.people[:9])

    await here.run()

    assert len(here.shown()) == 1


@pytest.mark.parametrize("fault", NOT_DONE)
async def test_a_no_that_is_said_while_a_write_waits(install: Install, fault: dict[str, Any]) -> None:
    here = await proven(install, "consent")
    contact = here.people[1]
    here.engage.faults({**fault, "method": "PATCH", "times": 1})
    here.engage.about_to_decide({"contact": contact, "changes": NO["consent"], "method": "PATCH"})
    here.select(here.people[:2])

    status = await here.run()

    assert contact not in here.shown()
    assert status.last_run is not None
    assert status.last_run.declined == 1


@each_opt_in
@pytest.mark.parametrize("fault", NOT_DONE)
async def test_who_says_nothing_meanwhile_is_opted_in(install: Install, kind: str, fault: dict[str, Any]) -> None:
    here = await proven(install, kind)
    here.engage.faults({**fault, "method": "PATCH", "times": 1})
    here.select(here.people[:2])

    await here.run()

    assert here.shown() == set(here.people[:2])


async def unanswered(here: Installation, fault: dict[str, Any], contact: str) -> None:
    """The opt-in of the contact is done, the answer is lost, the person says no."""
    here.answers_within(0.2)
    here.engage.faults({**fault, "method": "PATCH", "times": 1})
    here.engage.about_to_decide({"contact": contact, "changes": NO[here.kind], "method": "PATCH"})
    here.engage.reset_requests()

    status = await here.run()

    assert here.engage.requests()["writes"] == 1
    assert status.last_run is not None
    assert status.last_run.unknown == 1


@each_opt_in
@pytest.mark.parametrize("fault", MAY_BE_DONE)
async def test_what_may_have_been_done_is_not_done_again(install: Install, kind: str, fault: dict[str, Any]) -> None:
    here = await proven(install, kind)
    contact = here.people[1]
    here.select(here.people[:2])

    await unanswered(here, fault, contact)
    assert contact not in here.shown()

    status = await here.run(hours=2)
    await here.run(hours=2)
    assert contact not in here.shown()
    assert status.last_run is not None
    assert status.last_run.declined == 1


@each_opt_in
async def test_who_was_not_written_after_all_is_written_by_the_next_run(install: Install, kind: str) -> None:
    here = await proven(install, kind)
    here.select(here.people[:2])
    here.engage.faults({"kind": "status", "status": 500, "method": "PATCH"})
    await here.run()
    here.engage.faults()

    await here.run()

    assert here.shown() == set(here.people[:2])


@pytest.mark.parametrize(("decided", "counts"), [("before the attempt", False), ("after it", True)])
async def test_a_no_after_an_attempt_is_overruled_by_a_later_decision_only(
    install: Install, tmp_path: Path, decided: str, counts: bool
) -> None:
    here = install("opt-in")
    warehouse = Warehouse(here, tmp_path)
    member, contact = here.people[:2]
    warehouse.holds((member, None, None))
    await here.run()
    warehouse.holds((member, None, None), (contact, None, None))
    await unanswered(here, {"kind": "resetAfter"}, contact)
    attempted, an_hour = datetime.now(UTC), timedelta(hours=1)

    yes = attempted + an_hour if counts else attempted - an_hour
    warehouse.holds((member, None, None), (contact, None, yes.isoformat()))
    await here.run(hours=3)

    assert (contact in here.shown()) == counts


async def test_what_was_asked_is_not_announced_again_without_a_look(install: Install) -> None:
    """Or the no that was said since the first attempt would be older than the second."""
    here = await proven(install, "opt-in")
    contact = here.people[1]
    here.select(here.people[:2])
    await unanswered(here, {"kind": "resetAfter"}, contact)
    here.passed += timedelta(hours=2)
    here.engage.configure(clockAheadSeconds=here.passed.total_seconds())

    with killed_at(lambda rows: not UNANSWERED.isdisjoint(rows["op"].to_pylist()), is_written=True):
        try:
            await here.run()
        except Killed:
            await here.restart()
    await here.run(hours=2)

    assert contact not in here.shown()


async def test_a_no_of_ones_own_is_not_taken_for_a_leaving_that_was_not_answered(install: Install) -> None:
    here = await proven(install, "opt-in")
    [member] = here.people[:1]
    here.engage.faults({"kind": "status", "status": 500, "method": "PATCH"})
    here.select([])
    await here.run()
    here.engage.faults()
    here.decide(member, False)

    here.select([member])
    await here.run(hours=1)

    assert here.shown() == set()


@pytest.mark.parametrize("found_before", [0, 1], ids=["from the start", "from where it was cut off"])
async def test_nobody_is_opted_in_while_a_lost_ledger_is_found_again(
    install: Install, tmp_path: Path, found_before: int
) -> None:
    """Not even for a decision after the loss: the run that finds the members has not got to its end."""
    here, warehouse = await proven_from_a_warehouse(install, "opt-in", tmp_path)
    member, contact = here.people[:2]
    here.ledger().rename(tmp_path / "away")
    here.engage.faults({"kind": "status", "status": 503, "path": f"/{contact}$" if found_before else ""})
    warehouse.holds((member, None, None), (contact, None, None))
    await here.run()
    here.engage.faults()

    decided = datetime.now(UTC) + timedelta(hours=1)
    warehouse.holds((member, None, None), (contact, None, decided.isoformat()))
    status = await here.run(hours=3)

    assert here.shown() == {member}
    assert status.last_run is not None
    told = status.last_run
    assert (told.outcome, told.adopted, told.declined) == ("Partial", 1 - found_before, 0)
    assert "1 left to the next run" in (told.message or "")

    await here.run()

    assert here.shown() == {member, contact}, "who decided since the loss"


async def test_who_was_declined_is_not_looked_at_again_for_the_same_decision(install: Install, tmp_path: Path) -> None:
    here = install("opt-in")
    warehouse = Warehouse(here, tmp_path)
    contact, other = here.people[:2]
    decided = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    warehouse.holds((contact, None, None), (other, None, None))
    await here.run()
    warehouse.holds((other, None, None))
    await here.run()  # taken off: our own no, of now
    warehouse.holds((contact, None, decided), (other, None, None))
    await here.run()
    assert here.shown() == {other}

    status = await here.run()

    assert status.last_run is not None
    assert (status.last_run.entering, status.last_run.requests) == (0, 0)
    assert "1 declined earlier" in (status.last_run.message or "")


async def test_who_is_declined_right_at_the_write_is_not_looked_at_again_either(
    install: Install, tmp_path: Path
) -> None:
    here, warehouse = await proven_from_a_warehouse(install, "consent", tmp_path)
    member, contact = here.people[:2]
    here.decide(contact, False)
    decided = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    warehouse.holds((member, None, None), (contact, None, decided))
    status = await here.run()
    assert status.last_run is not None
    assert status.last_run.declined == 1

    status = await here.run()

    assert status.last_run is not None
    assert (status.last_run.entering, status.last_run.requests) == (0, 0)


@pytest.mark.parametrize("has_shown_it", [False, True], ids=["first run", "later"])
async def test_who_is_adopted_was_sent_nothing(install: Install, has_shown_it: bool) -> None:
    """And does not count as an addition of the window."""
    here = install("opt-in", maxAdditions=6)
    if has_shown_it:
        has_something_to_lose(here, here.people[0])
        here.select(here.people[:1])
        await here.run()
    for one in here.people[1:6]:
        here.decide(one, True)
    here.select(here.people[:6])
    await here.run()

    here.select(here.people[:11])
    await here.run()

    assert here.shown() == set(here.people[:11])


@pytest.mark.parametrize("kind", ["single", "opt-in"])
async def test_who_goes_out_on_an_approval_does_not_count_in_the_window(install: Install, kind: str) -> None:
    here = install(kind, maxAdditions=3)
    here.select(here.people[:5])
    await here.run()
    await here.approve()
    assert here.shown() == set(here.people[:5])

    here.select(here.people[:8])
    await here.run()

    assert here.shown() == set(here.people[:8])


async def test_an_opt_out_by_an_address_is_of_whoever_has_it(install: Install, tmp_path: Path) -> None:
    here = install("opt-out")
    warehouse = Warehouse(here, tmp_path)
    first, second, member = here.people[:3]
    here.engage.decide(first, email="old@example.com", preferences={"acceptsEmail": True})
    here.edit(mode="Plan")
    warehouse.holds((None, "old@example.com", None), (member, None, None))
    await here.run()
    here.engage.decide(first, email="new@example.com")
    here.engage.decide(second, email="old@example.com", preferences={"acceptsEmail": True})
    here.edit(mode="Enforce")

    await here.run()

    assert here.engage.contact(first)["preferences"]["acceptsEmail"] is True


async def test_what_was_read_before_the_process_was_frozen_is_read_again(
    client: EngageClient, engage: EngageAdmin, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, later = list[float](), 0.0
    at = transport.now
    monkeypatch.setattr("voyado_operator.engage.session.now", lambda: at() + later)

    def is_right(_: object) -> bool:
        nonlocal later
        looks.append(at())
        later = 3600.0 if len(looks) == 1 else 0.0  # frozen for an hour, right before the write
        return True

    answer = await client.update_if(people[0], {"label_vip": True}, is_right)

    assert answer == ItemAnswer(ItemStatus.DONE)
    assert len(looks) == 2
    assert engage.requests()["writes"] == 1


async def test_what_is_not_right_is_not_written(client: EngageClient, engage: EngageAdmin, people: list[str]) -> None:
    answer = await client.update_if(people[0], {"label_vip": True}, lambda _: False)
    assert answer == ItemAnswer(ItemStatus.REFUSED, WITHHELD)
    assert engage.requests()["writes"] == 0


async def test_a_contact_whose_answer_is_unreadable_was_not_asked(install: Install) -> None:
    """It is unknown, but not asked: a later no of that person would otherwise be the newest word."""
    here = await proven(install, "opt-in")
    contact = here.people[1]
    here.select(here.people[:2])
    here.engage.faults({"kind": "garbage", "method": "GET", "path": f"/{contact}$"})
    status = await here.run()
    here.engage.faults()
    assert status.last_run is not None
    assert status.last_run.unknown == 1
    here.decide(contact, False)  # as it was; who had been asked would be declined for it

    await here.run()

    assert contact in here.shown()
