"""A plan that looks like an accident waits for a person, and Engage is not touched."""

import pytest

from tests.cluster.world import GOVERNANCE, Status, World, address, condition, ready

OPT_OUT = {"preference": {"channel": "Email", "onEnter": "Decline", "onExit": "Keep"}}


def members(world: World, number: int) -> list[str]:
    """The label's members after a first run."""
    people = world.people(number)
    world.connect()
    world.select(people)
    world.start(world.activation())
    world.engage.reset_requests()
    return people


def assert_blocked(world: World, status: Status, guard: str) -> None:
    """Said in the Ready condition, as stalled, in the plan, in an Event and in the metric; nothing was written."""
    assert (ready(status)["status"], ready(status)["reason"]) == ("False", "GuardBlocked")
    assert guard in ready(status)["message"]
    assert (condition(status, "Stalled") or {})["reason"] == "GuardBlocked"
    assert status["lastRun"]["outcome"] == "Blocked"
    assert guard in [violation["guard"] for violation in status["plan"]["blockedBy"]]
    world.await_event("GuardBlocked", guard)
    assert world.metric("voyado_activation_blocked") == 1
    assert world.writes == 0


def test_an_empty_audience_is_blocked(world: World) -> None:
    people = members(world, 5)
    world.select([])

    status = world.run()

    assert_blocked(world, status, "allowEmpty")
    assert world.labelled == set(people)
    assert status["members"] == 5


def test_an_empty_audience_that_is_meant_empties_the_label(world: World) -> None:
    members(world, 5)
    world.select([])

    world.start(world.activation(guards={"allowEmpty": True, "maxRemovals": "100%"}))

    assert world.labelled == set()


def test_half_the_audience_gone_waits_for_approval(world: World) -> None:
    people = members(world, 60)
    world.select(people[:30])

    blocked = world.run()

    assert_blocked(world, blocked, "maxRemovals")
    assert (blocked["plan"]["entering"], blocked["plan"]["leaving"]) == (0, 30)
    assert f"approve={blocked['plan']['digest']}" in ready(blocked)["message"]

    world.annotate("vip", "approve", blocked["plan"]["digest"])
    released = world.await_reason("Succeeded")

    assert world.labelled == set(people[:30])
    assert "plan" not in released
    assert released["lastHandledApproval"] == blocked["plan"]["digest"]
    assert world.metric("voyado_activation_blocked") == 0


def test_an_approval_releases_only_what_was_approved(world: World) -> None:
    people = members(world, 60)
    world.select(people[:30])
    blocked = world.run()
    world.select(people[10:30])  # ten more leave before the person decides

    world.annotate("vip", "approve", blocked["plan"]["digest"])
    status = world.await_status(lambda now: now.get("lastHandledApproval") == blocked["plan"]["digest"])

    assert world.labelled == set(people[:30])
    assert ready(status)["reason"] == "GuardBlocked"


def test_a_waiting_plan_is_dropped_when_the_audience_is_whole_again(world: World) -> None:
    people = members(world, 60)
    world.select(people[:30])
    blocked = world.run()
    world.select(people)

    recovered = world.run()

    assert "plan" not in recovered
    assert ready(recovered)["reason"] == "Succeeded"
    assert world.metric("voyado_activation_blocked") == 0
    world.select(people[:25])
    world.annotate("vip", "approve", blocked["plan"]["digest"])
    assert ready(world.run())["reason"] == "GuardBlocked"
    assert world.labelled == set(people), "an old approval releases no later plan"


def test_the_same_plan_keeps_waiting_over_later_runs(world: World) -> None:
    people = members(world, 60)
    world.select(people[:30])
    first = world.run()
    world.select(people[:20])

    second = world.run()

    assert second["plan"] == first["plan"]
    assert second["diff"]["leaving"] == 40


def test_many_small_runs_cannot_bleed_a_label_dry(world: World) -> None:
    people = members(world, 200)
    reasons = []
    for left in (185, 170, 155, 140):
        world.select(people[:left])
        reasons.append(ready(world.run())["reason"])

    assert reasons == ["Succeeded", "Succeeded", "GuardBlocked", "GuardBlocked"]
    assert len(world.labelled) == 170


def test_twenty_removals_always_pass(world: World) -> None:
    people = members(world, 30)
    world.select(people[:10])

    assert ready(world.run())["reason"] == "Succeeded"
    assert world.labelled == set(people[:10])


@pytest.mark.parametrize(
    ("guard", "rows"),
    [
        ("maxInvalid", [("nonsense", None)] * 2),
        ("maxUnmatched", [(None, f"stranger{number}@people.example") for number in range(3)]),
    ],
)
def test_a_source_of_low_quality_is_blocked(
    world: World, guard: str, rows: list[tuple[str | None, str | None]]
) -> None:
    people = world.people(20)
    world.connect()
    world.fill([(one, None) for one in people] + [(None, address(people[0]))] + rows)

    status = world.start(world.activation())

    assert_blocked(world, status, guard)
    assert world.labelled == set()


def test_additions_have_a_ceiling_where_one_is_set(world: World) -> None:
    people = world.people(12)
    world.connect()
    world.select(people)

    assert_blocked(world, world.start(world.activation(guards={"maxAdditions": 10})), "maxAdditions")
    world.select(people[:10])
    assert ready(world.run())["reason"] == "Succeeded"


def test_explicit_opt_outs_pass_every_guard_but_their_own(world: World) -> None:
    people = world.people(40)
    world.connect()
    world.fill([(one, None) for one in people] + [("nonsense", None)] * 10)

    status = world.start(world.activation(target=OPT_OUT, governance=GOVERNANCE))

    assert world.engage.preference("acceptsEmail")["false"] == set(people)
    assert ready(status)["reason"] == "GuardBlocked", "the source's quality is still a person's business"


def test_too_many_opt_outs_are_held(world: World) -> None:
    people = world.people(12)
    world.connect()
    world.select(people)

    status = world.start(world.activation(target=OPT_OUT, governance=GOVERNANCE, guards={"maxOptOuts": 10}))

    assert_blocked(world, status, "maxOptOuts")
    assert world.engage.preference("acceptsEmail")["false"] == set()
