"""What a first change does to a contact is looked at and put back, or said not to be."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from voyado_operator.domain.delivery import Operation
from voyado_operator.reconcile.canary import MOST_TRIED, Canary, Trial
from voyado_operator.reconcile.ports import Delivered, Target, Tell
from voyado_operator.targets import bulk
from voyado_operator.targets.label_attribute import LabelAttribute
from voyado_operator.targets.label_endpoint import LabelEndpoint

from tests.component.arrow import rows_of
from tests.component.conftest import Install
from tests.component.installation import CHANGES_PER_BATCH


async def test_who_could_not_be_put_back_is_still_taken_off(install: Install) -> None:
    here = install("opt-in", maxRemovals=5)
    [contact] = here.people[:1]
    here.engage.configure(quirks=["siblingPreferenceReset"])
    here.engage.decide(contact, preferences={"acceptsSms": True})
    here.engage.faults({"kind": "latency", "method": "PATCH", "times": 1}, {"kind": "resetBefore", "method": "PATCH"})
    here.select([contact])
    status = await here.run()
    assert status.last_run is not None
    assert "could NOT be put back" in str(status.last_run.message)
    here.engage.faults()
    here.engage.configure(quirks=[])
    assert here.shown() == {contact}

    here.select([])
    await here.run()
    await here.run()

    assert here.shown() == set()


async def test_a_label_that_does_not_show_is_not_said_to_be_put_back(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install("endpoint", maxRemovals=5)
    [contact] = here.people[:1]
    apply = LabelEndpoint.apply

    async def with_an_automation(target: LabelEndpoint, operation: Operation, contacts: Any) -> Any:
        done = await apply(target, operation, contacts)
        for one in contacts:
            here.engage.write(one, firstName="an automation's")
        return done

    here.select([contact])
    with monkeypatch.context() as patch:
        patch.setattr(LabelEndpoint, "apply", with_an_automation)
        status = await here.run()
    assert status.last_run is not None
    assert status.last_run.unknown == 1

    here.select([])
    await here.run()
    await here.run()

    assert here.shown() == set()


async def test_an_unanswered_first_change_is_looked_at_too(install: Install) -> None:
    here = install("opt-in")
    here.engage.configure(quirks=["siblingPreferenceReset"])
    for one in here.people:
        here.engage.decide(one, preferences={"acceptsSms": True})
    here.engage.faults({"kind": "garbage", "method": "PATCH"})
    here.select(here.people)
    status = await here.run()

    kept = [one for one in here.people if here.engage.contact(one)["preferences"]["acceptsSms"]]
    assert len(kept) >= len(here.people) - 1
    assert status.conditions[0].reason == "TargetUnsafe"


async def test_removing_who_is_gone_is_done_for_a_first_change_too(install: Install) -> None:
    here = install("bulk")
    here.select(here.people[:12])
    await here.run()
    here.engage.remove(here.people[0])

    here.select(here.people[1:12])
    status = await here.run()

    assert status.last_run is not None
    assert (status.last_run.rejected, status.members) == (0, 11)


async def test_nobody_is_subscribed_again_who_unsubscribes_meanwhile(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install("single")
    [contact] = here.people[:1]
    apply = LabelAttribute.apply_as

    async def meanwhile(*given: Any) -> Any:
        done = await apply(*given)
        here.engage.decide(contact, preferences={"acceptsEmail": False})
        return done

    monkeypatch.setattr(LabelAttribute, "apply_as", meanwhile)
    here.engage.decide(contact, preferences={"acceptsEmail": True})
    here.select([contact])
    await here.run()

    assert here.engage.contact(contact)["preferences"]["acceptsEmail"] is False


async def test_the_first_batch_is_small_so_that_little_is_announced_before_its_canary_is_back(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.delivery.TRIED", bulk.FEWEST_ROWS)
    here = install("bulk")
    here.engage.configure(quirks=["bulkIgnoresContactId"])
    here.select(here.people)

    status = await here.run()

    assert status.conditions[0].reason == "TargetUnsafe"
    announced = [row["contact_id"] for row in rows_of(here.opened_ledger().earlier())]
    assert len(announced) == bulk.FEWEST_ROWS < len(here.people)


async def test_a_few_that_are_left_of_a_batch_are_tried_as_what_they_are_sent_as(install: Install) -> None:
    here = install("bulk", people=14)
    here.select(here.people)

    await here.run()

    assert here.shown() == set(here.people)
    assert {one.mode for one in here.registry.capabilities.shown(here.connection())} == {"Bulk", "Single"}


async def test_other_batches_follow_as_soon_as_the_canary_is_back(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voyado_operator.reconcile.delivery.TRIED", MOST_TRIED + bulk.FEWEST_ROWS)
    here = install("bulk", people=MOST_TRIED + 2 * bulk.FEWEST_ROWS)
    another, apply = asyncio.Event(), LabelAttribute.apply
    first = list[Sequence[str]]()

    async def waiting(
        target: LabelAttribute, operation: Operation, contact_ids: Sequence[str], handed_in: Tell
    ) -> Delivered:
        if first:
            another.set()
        else:
            first.append(contact_ids)
            await asyncio.wait_for(another.wait(), 30)
        return await apply(target, operation, contact_ids, handed_in)

    monkeypatch.setattr(LabelAttribute, "apply", waiting)
    here.select(here.people)

    status = await here.run()

    assert status.members == len(here.people)
    assert len(first[0]) == bulk.FEWEST_ROWS


async def test_no_other_batch_is_looked_at_before_the_canary_is_back(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says no meanwhile has said so in time."""
    here = install("consent", people=3 * CHANGES_PER_BATCH)
    first, fly = list[str](), Canary.fly

    async def meanwhile(canary: Canary, operation: Operation, batch: Sequence[str], target: Target) -> Trial:
        if not first:
            first.extend(batch)
            for contact in set(here.people) - set(batch):
                here.decide(contact, False)
        return await fly(canary, operation, batch, target)

    monkeypatch.setattr(Canary, "fly", meanwhile)
    here.select(here.people)

    await here.run()

    assert here.shown() == set(first)
    assert len(first) == CHANGES_PER_BATCH
