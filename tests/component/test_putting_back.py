"""A first change is put back only where a look has shown harm, and never at the cost of anybody's decision."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from engage_simulator.tenant import Contact, Tenant
from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.domain.delivery import Operation
from voyado_operator.domain.target import Mode
from voyado_operator.engage.client import EngageClient
from voyado_operator.reconcile.canary import MOST_TRIED
from voyado_operator.reconcile.own_writes import OwnWrites
from voyado_operator.reconcile.ports import Delivered
from voyado_operator.targets.base import EngageTarget
from voyado_operator.targets.choice import Choice
from voyado_operator.targets.label_attribute import LabelAttribute

from tests.component.beside import Beside
from tests.component.conftest import Install
from tests.component.installation import CHANGES_PER_BATCH, Installation, Killed

AWAY = {"kind": "status", "method": "GET", "status": 502, "path": "/contacts/.*-"}
REFUSED_ONCE = {"kind": "status", "method": "PATCH", "status": 422, "times": 1}
SMS_YES = {"preference": {"channel": "Sms", "onEnter": "Accept", "onExit": "Decline"}}
SMS_NO = {"preference": {"channel": "Sms", "onEnter": "Decline", "onExit": "Keep"}}
PARTNER_YES = {"consent": {"id": "partnerTerms", "onEnter": "Accept", "onExit": "Decline"}}
GOLD = {"label": {"name": "gold"}}
Meanwhile = Callable[[], Awaitable[object]]


@pytest.fixture
def put_back(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is written to put contacts back."""
    restore, written = EngageTarget.restore, list[dict[str, Any]]()

    async def recorded(target: EngageTarget, contact_id: str, changes: dict[str, Any]) -> None:
        written.append(changes)
        await restore(target, contact_id, changes)

    monkeypatch.setattr(EngageTarget, "restore", recorded)
    return written


@pytest.fixture
def after_the_first_change(monkeypatch: pytest.MonkeyPatch) -> Callable[[Meanwhile], None]:
    """What happens between the first change that is tried and the look at what it did."""

    def register(meanwhile: Meanwhile) -> None:
        waiting = [meanwhile]
        for kind in (EngageTarget, LabelAttribute):
            apply_as = kind.apply_as

            async def applied(
                target: Any,
                mode: Mode,
                operation: Operation,
                contacts: Sequence[str],
                apply_as: Callable[..., Awaitable[Delivered]] = apply_as,
            ) -> Delivered:
                done = await apply_as(target, mode, operation, contacts)
                if waiting:
                    await waiting.pop()()
                return done

            monkeypatch.setattr(kind, "apply_as", applied)

    return register


def doing(step: Callable[[], object]) -> Meanwhile:
    async def meanwhile() -> None:
        step()

    return meanwhile


def reason(status: SegmentActivationStatus) -> tuple[str, str]:
    return status.conditions[0].status, status.conditions[0].reason


def message(status: SegmentActivationStatus) -> str:
    assert status.last_run is not None
    return str(status.last_run.message)


async def with_a_member(here: Installation) -> str:
    """One contact is a member, by an operator that was started again: its connection has proven nothing yet."""
    [contact] = here.people[:1]
    here.select([contact])
    await here.run()
    assert here.shown() == {contact}
    await here.restart()
    return contact


@pytest.mark.parametrize("kind", ["opt-in", "consent", "single", "bulk"])
async def test_a_removal_that_could_not_be_looked_at_is_unknown_and_not_put_back(
    install: Install, put_back: list[dict[str, Any]], after_the_first_change: Callable[..., None], kind: str
) -> None:
    here = install(kind, maxRemovals=5)
    await with_a_member(here)
    after_the_first_change(doing(lambda: here.engage.faults(AWAY)))
    here.select([])

    status = await here.run()

    assert reason(status) == ("False", "EngageUnavailable")
    assert status.last_run is not None
    assert (status.last_run.unknown, status.last_run.accepted) == (1, 0)
    assert here.shown() == set()
    assert "could not be looked at" in message(status)

    here.engage.faults()
    assert reason(await here.run(minutes=5)) == ("True", "Succeeded")
    assert here.shown() == set()
    assert put_back == []


@pytest.mark.parametrize("kind", ["opt-out", "opt-in", "consent", "single", "bulk"])
async def test_additions_that_could_not_be_looked_at_are_judged_by_the_next_run(
    install: Install, put_back: list[dict[str, Any]], after_the_first_change: Callable[..., None], kind: str
) -> None:
    here = install(kind)
    if kind == "opt-out":
        for one in here.people:
            here.decide(one, True)
    after_the_first_change(doing(lambda: here.engage.faults(AWAY)))
    here.select(here.people)

    status = await here.run()

    assert reason(status) == ("False", "EngageUnavailable")
    tried = here.shown()
    assert 0 < len(tried) < len(here.people), "the batch ends there, and nothing is put back"
    assert status.last_run is not None
    assert status.last_run.unknown == len(tried)

    here.engage.faults()
    assert reason(await here.run(minutes=5)) == ("True", "Succeeded")
    assert here.shown() == set(here.people)
    assert put_back == []


async def test_harm_that_could_not_be_looked_at_is_found_by_the_next_run(
    install: Install, after_the_first_change: Callable[..., None]
) -> None:
    here = install("opt-in")
    here.engage.configure(quirks=["siblingPreferenceReset"])
    for one in here.people:
        here.engage.decide(one, preferences={"acceptsSms": True})
    after_the_first_change(doing(lambda: here.engage.faults(AWAY)))
    here.select(here.people)
    await here.run()
    here.engage.faults()

    assert reason(await here.run(minutes=5)) == ("False", "TargetUnsafe")
    assert len(here.engage.preference("acceptsSms")["true"]) == len(here.people) - 2


@pytest.mark.parametrize("kind", ["opt-in", "single"])
async def test_a_look_that_fails_once_is_looked_again(
    install: Install, after_the_first_change: Callable[..., None], kind: str
) -> None:
    here = install(kind, maxRemovals=5)
    await with_a_member(here)
    after_the_first_change(doing(lambda: here.engage.faults(AWAY | {"times": 2})))  # each request is tried twice
    here.select([])

    assert reason(await here.run()) == ("True", "Succeeded")
    assert here.shown() == set()


async def test_an_opt_out_stands_although_its_first_change_did_harm(
    install: Install, put_back: list[dict[str, Any]]
) -> None:
    """Nor is the sibling's yes written again: who said it says it again."""
    here = install("opt-in", maxRemovals=5)
    contact = await with_a_member(here)
    here.engage.decide(contact, preferences={"acceptsSms": True})
    here.engage.configure(quirks=["siblingPreferenceReset"])
    here.select([])

    status = await here.run()

    assert reason(status) == ("False", "TargetUnsafe")
    preferences = here.engage.contact(contact)["preferences"]
    assert (preferences["acceptsEmail"], preferences["acceptsSms"]) == (False, False)
    assert "the preference acceptssm changed too" in message(status)
    assert "could NOT be put back" in message(status)
    assert "the preference acceptssm of 1 contact(s)" in message(status)
    assert put_back == []
    assert contact not in message(status)

    assert reason(await here.run(minutes=5)) == ("True", "Succeeded"), "there is nothing left to do"


async def test_a_consent_that_was_not_set_does_not_become_a_no(
    install: Install, put_back: list[dict[str, Any]]
) -> None:
    here = install("consent", maxRemovals=5)
    here.engage.configure(consents={"partnerTerms": "Partner terms"}, quirks=["consentsReplaced"])
    [contact] = here.people[:1]
    here.engage.decide(contact, consents={"partnerTerms": True})
    here.select([contact])

    status = await here.run()

    assert reason(status) == ("False", "TargetUnsafe")
    assert contact in here.engage.consent("memberTerms")["true"]
    assert "the consent memberTerms of 1 contact(s), the consent partnerTerms of 1 contact(s) stays" in message(status)
    assert put_back == []

    here.select([])
    await here.run()
    await here.run(minutes=5)
    assert contact in here.engage.consent("memberTerms")["false"], "what is our own doing is taken back with who leaves"


async def test_our_own_yes_is_put_back_in_the_place_of_a_no(install: Install, put_back: list[dict[str, Any]]) -> None:
    here = install("opt-in")
    here.engage.configure(quirks=["siblingPreferenceReset"])
    [contact] = here.people[:1]
    here.engage.decide(contact, preferences={"acceptsSms": True})
    here.select([contact])

    status = await here.run()

    assert put_back == [{"preferences": {"acceptsEmail": False}}]
    assert here.shown() == set()
    assert "the preference acceptssm of 1 contact(s) stays" in message(status)
    assert "acceptsemail" not in message(status)


@dataclass(frozen=True)
class Other:
    """Another activation of people whom it changes as `is_done` says."""

    target: dict[str, Any]
    is_done: Callable[[dict[str, Any]], bool]
    before: dict[str, Any] = field(default_factory=dict)


OTHERS = {
    "a label": Other(GOLD, lambda one: one["attributes"].get("label_gold") is True),
    "an opt-in": Other(SMS_YES, lambda one: one["preferences"]["acceptsSms"] is True),
    "an opt-out": Other(
        SMS_NO, lambda one: one["preferences"]["acceptsSms"] is False, {"preferences": {"acceptsSms": True}}
    ),
    "a consent": Other(
        PARTNER_YES, lambda one: ("partnerTerms", True) in [(said["id"], said["value"]) for said in one["consents"]]
    ),
}


async def together(
    here: Installation, other: Other, after_the_first_change: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> tuple[SegmentActivationStatus, SegmentActivationStatus]:
    """Run this one, and the other from the first change on, which ends only when the look at that is over.

    The other has proven already what it does: a contact is tried by one run at a time.
    """
    here.engage.configure(attributes={"label_gold": "boolean"}, consents={"partnerTerms": "Partner terms"})
    for one in here.people if other.before else []:
        here.engage.decide(one, **other.before)
    known, [*people] = here.people[:12], here.people[12:]
    for one in here.people if here.kind == "opt-out" else []:
        here.decide(one, True)
    beside, is_done, may_end = Beside(here, "beside", target=other.target), asyncio.Event(), asyncio.Event()
    assert reason(await beside.run_with(known)) == ("True", "Succeeded")

    def held(apply: Callable[..., Awaitable[Delivered]]) -> Callable[..., Awaitable[Delivered]]:
        async def applied(*given: Any) -> Delivered:
            done = await apply(*given)
            if not is_done.is_set() and all(other.is_done(here.engage.contact(one)) for one in people):
                is_done.set()
                await asyncio.wait_for(may_end.wait(), 10)
            return done

        return applied

    for kind in (LabelAttribute, Choice):
        monkeypatch.setattr(kind, "apply", held(kind.apply))
    running = list[asyncio.Task[SegmentActivationStatus]]()

    async def meanwhile() -> None:
        running.append(asyncio.create_task(beside.run_with(here.people)))
        await asyncio.wait_for(is_done.wait(), 10)

    after_the_first_change(meanwhile)
    here.select(people[:3])
    status = await here.run()
    may_end.set()
    return status, await running[0]


@pytest.mark.parametrize("other", OTHERS.values(), ids=list(OTHERS))
@pytest.mark.parametrize("kind", ["single", "bulk", "opt-in", "opt-out", "consent"])
async def test_what_another_run_of_ours_writes_meanwhile_is_no_harm(
    install: Install,
    put_back: list[dict[str, Any]],
    after_the_first_change: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    other: Other,
) -> None:
    here = install(kind, people=24)

    mine, theirs = await together(here, other, after_the_first_change, monkeypatch)

    assert (reason(mine), reason(theirs)) == (("True", "Succeeded"), ("True", "Succeeded"))
    assert here.shown() == set(here.audience)
    assert all(other.is_done(here.engage.contact(one)) for one in here.people)
    assert put_back == []


async def test_who_was_harmed_before_proves_nothing(install: Install) -> None:
    """The next run, of an operator that was started again, tries somebody else too."""
    here = install("opt-in")
    here.engage.configure(quirks=["siblingPreferenceReset"])
    for one in here.people:
        here.engage.decide(one, preferences={"acceptsSms": True})
    here.select(here.people)
    await here.run()
    await here.restart()

    assert reason(await here.run(minutes=5)) == ("False", "TargetUnsafe")
    assert len(here.engage.preference("acceptsSms")["true"]) == len(here.people) - 2


async def test_who_was_harmed_and_not_put_back_proves_nothing(
    install: Install, monkeypatch: pytest.MonkeyPatch, put_back: list[dict[str, Any]]
) -> None:
    """Not even where there is something to lose: on them, the harm does not show a second time."""
    here, update = install("single"), Tenant.update
    [contact] = here.people[:1]
    here.engage.decide(contact, preferences={"acceptsPostal": True})

    def with_a_yes(tenant: Tenant, changed: Contact, changes: dict[str, Any]) -> None:
        update(tenant, changed, changes)
        if changes.get("label_vip"):
            changed.preferences["acceptsSms"] = True

    monkeypatch.setattr(Tenant, "update", with_a_yes)
    here.select([contact])
    status = await here.run()
    assert reason(status) == ("False", "TargetUnsafe")
    assert "the preference acceptssm of 1 contact(s) stays" in message(status), "or the other one might be reset"
    assert put_back == [{"label_vip": None}]

    assert reason(await here.run(minutes=5)) == ("True", "Succeeded")
    assert here.registry.capabilities.shown(here.connection()) == []


async def test_what_another_run_corrects_meanwhile_is_no_harm(
    install: Install, after_the_first_change: Callable[..., None]
) -> None:
    here = install("single")
    here.engage.configure(attributes={"label_gold": "boolean"})
    [contact] = here.people[:1]
    beside = Beside(here, "beside", target=GOLD, drift={"sample": 100, "onDrift": "Correct"})
    await beside.run_with([contact])
    here.registry.own_writes = OwnWrites()  # that run was long ago
    here.engage.write(contact, label_gold=False)
    after_the_first_change(lambda: beside.run_with([contact]))
    here.select([contact])

    assert reason(await here.run()) == ("True", "Succeeded")
    assert here.engage.attribute("label_gold") == here.shown() == {contact}


async def test_what_an_earlier_batch_of_ours_does_meanwhile_is_no_harm(
    install: Install,
    put_back: list[dict[str, Any]],
    after_the_first_change: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The operator was killed while Engage worked on it; its next run asks for it."""
    here = install("consent", people=24)
    here.engage.configure(attributes={"label_gold": "boolean"})
    beside = Beside(here, "beside", target=GOLD)
    await beside.run_with(here.people[:12])
    here.engage.configure(bulkHolds=True)
    with monkeypatch.context() as patch:
        patch.setattr(EngageClient, "bulk_status", died)
        with pytest.raises(BaseExceptionGroup):
            await beside.run_with(here.people)
    here.engage.configure(bulkHolds=False)
    here.registry.own_writes = OwnWrites()  # as in the process that comes after

    async def meanwhile() -> None:
        here.engage.let_go(here.engage.batches()[-1])
        await beside.run()

    after_the_first_change(meanwhile)
    here.select(here.people[12:])

    assert reason(await here.run()) == ("True", "Succeeded")
    assert here.shown() == set(here.people[12:])
    assert here.engage.attribute("label_gold") == set(here.people)
    assert put_back == []


async def died(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("kind", ["opt-in", "consent"])
async def test_who_has_nothing_to_lose_proves_nothing(install: Install, kind: str) -> None:
    """Of a tenant that resets what a request does not name; in whatever order the contacts come."""
    here = install(kind)
    quirks = ["siblingPreferenceReset", "consentsReplaced"]
    here.engage.configure(consents={"partnerTerms": "Partner terms"}, quirks=quirks)
    for one in here.people[5:]:
        here.engage.decide(one, preferences={"acceptsSms": True}, consents={"partnerTerms": True})
    here.select(here.people)

    assert reason(await here.run()) == ("False", "TargetUnsafe")
    kept = here.engage.preference("acceptsSms")["true"] & here.engage.consent("partnerTerms")["true"]
    assert len(kept) == len(here.people[5:]) - 1


async def test_ten_who_have_nothing_to_lose_are_enough(install: Install) -> None:
    here = install("opt-in", people=30)
    here.select(here.people)
    await here.run()

    # Each contact is read right before it is opted in. Ten are read twice more, and a batch in which one is tried once.
    in_batches_of_trials = MOST_TRIED + 3 * CHANGES_PER_BATCH  # of lanes that began meanwhile
    reads = here.engage.requests()["byOperation"]["GET /contacts/{id}"]
    assert 0 < reads - len(here.people) - 2 * MOST_TRIED <= in_batches_of_trials


async def test_what_none_of_our_runs_writes_is_harm_as_ever(
    install: Install,
    put_back: list[dict[str, Any]],
    after_the_first_change: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What another run writes is left alone all the same."""
    here = install("single", people=24)
    here.edit(target={"label": {"name": "vip"}})
    restored = LabelAttribute.apply_as

    async def with_harm(target: LabelAttribute, *given: Any) -> Delivered:
        done = await restored(target, *given)
        if target.facet(Operation.ADD).name == "label_vip":
            here.engage.write(here.audience[0], firstName="an automation's")
            for one in here.audience:
                here.engage.write(one, firstName="an automation's")
        return done

    monkeypatch.setattr(LabelAttribute, "apply_as", with_harm)
    mine, theirs = await together(here, OTHERS["a label"], after_the_first_change, monkeypatch)

    assert reason(mine) == ("False", "TargetUnsafe")
    assert "the attribute firstName changed too" in message(mine)
    assert "label_gold" not in message(mine)
    assert put_back == [{"firstName": None, "label_vip": None}]
    assert reason(theirs) == ("True", "Succeeded")
    assert here.engage.attribute("label_gold") == set(here.people)


async def test_a_run_does_not_explain_the_opposite_of_what_it_writes(install: Install) -> None:
    """Each resets what the other writes; were that no harm, both would go on to everybody."""
    here = install("opt-in")
    here.engage.configure(quirks=["siblingPreferenceReset"])
    for one in here.people:
        here.engage.decide(one, preferences={"acceptsPostal": True})
    beside = Beside(here, "beside", target=SMS_YES)
    here.select(here.people)

    mine, theirs = await asyncio.gather(here.run(), beside.run_with(here.people))

    assert (reason(mine), reason(theirs)) == (("False", "TargetUnsafe"), ("False", "TargetUnsafe"))
    assert len(here.engage.preference("acceptsPostal")["true"]) >= len(here.people) - 2


@pytest.mark.parametrize("target", [GOLD, SMS_YES, SMS_NO, PARTNER_YES], ids=["label", "opt-in", "opt-out", "consent"])
async def test_two_that_start_together_on_a_connection_that_has_proven_nothing(
    install: Install, put_back: list[dict[str, Any]], target: dict[str, Any]
) -> None:
    here = install("opt-in", people=6)
    here.engage.configure(attributes={"label_gold": "boolean"}, consents={"partnerTerms": "Partner terms"})
    for one in here.people:
        here.engage.decide(one, preferences={"acceptsSms": target == SMS_NO})
    beside = Beside(here, "beside", target=target)
    here.select(here.people)

    mine, theirs = await asyncio.gather(here.run(), beside.run_with(here.people))

    assert (reason(mine), reason(theirs)) == (("True", "Succeeded"), ("True", "Succeeded"))
    assert here.shown() == set(here.people)
    assert put_back == []


async def test_a_removal_that_puts_right_our_own_doing_is_not_parked(install: Install) -> None:
    here = install("opt-in", maxRemovals=5)
    [contact] = here.people[:1]
    here.engage.faults({"kind": "resetAfter", "method": "PATCH", "times": 2})
    here.select([contact])
    await here.run()
    assert here.shown() == {contact}

    here.engage.faults(REFUSED_ONCE)
    here.select([])
    status = await here.run()
    assert reason(status) == ("False", "PartiallyApplied")
    assert status.members == 0, "whom Engage has not acknowledged is no member, taken off or not"

    assert status.next_run_time is not None
    wait = status.next_run_time - here.around.clock()
    assert wait < timedelta(minutes=15)
    here.passed += wait
    await here.step()
    assert here.shown() == set()
    assert reason(here.life.status) == ("True", "Succeeded")


async def test_a_member_s_removal_that_is_refused_is_parked(install: Install) -> None:
    here = install("opt-in", maxRemovals=5)
    [contact] = here.people[:1]
    here.select([contact])
    await here.run()
    here.engage.faults(REFUSED_ONCE)
    here.select([])

    assert reason(await here.run()) == ("True", "PartiallyApplied")
    here.engage.reset_requests()
    await here.run(minutes=6)

    assert here.shown() == {contact}
    assert here.engage.requests()["byOperation"].get("PATCH /contacts/{id}", 0) == 0


async def test_what_was_put_back_is_tried_again_by_the_next_run(
    install: Install, put_back: list[dict[str, Any]]
) -> None:
    """Engage has not refused it; and so it is the same contact, not another one, that is tried again."""
    here = install("single", people=2)
    here.engage.configure(attributes={"label_vip": "string"}, quirks=["textCoerced"])
    [contact] = here.people[:1]
    here.select([contact])
    status = await here.run()
    assert reason(status) == ("False", "TargetUnsafe")
    assert message(status).endswith("it was put back as it was")
    assert put_back == [{"label_vip": None}]

    here.engage.configure(attributes={"label_vip": "boolean"}, quirks=[])
    assert reason(await here.run(minutes=5)) == ("True", "Succeeded")
    assert here.shown() == {contact}
