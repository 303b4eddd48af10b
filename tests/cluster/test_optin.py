"""A person's own no wins: what opting in may write, and what it must not."""

from datetime import UTC, datetime, timedelta

from tests.cluster.world import GOVERNANCE, Status, World, address, ready

ACCEPT = {"onEnter": "Accept", "onExit": "Decline"}


def consenting(world: World, **spec: Status) -> Status:
    """An activation that opts its audience in to memberTerms."""
    return opting_in({"consent": {"id": "memberTerms"} | ACCEPT}, world, **spec)


def subscribing(world: World, **spec: Status) -> Status:
    """An activation that opts its audience in to e-mail."""
    return opting_in({"preference": {"channel": "Email"} | ACCEPT}, world, **spec)


def opting_in(target: Status, world: World, /, **spec: Status) -> Status:
    given = {"target": target, "governance": GOVERNANCE, "guards": {"maxAdditions": 100, "maxRemovals": 100}}
    return world.activation(**given | spec)


def test_a_consent_that_a_person_refused_stays_refused(world: World) -> None:
    new, agreed, refused = world.people(3)
    world.engage.decide(agreed, consents={"memberTerms": True})
    world.engage.decide(refused, consents={"memberTerms": False})
    world.select([new, agreed, refused])
    world.connect()

    status = world.start(consenting(world))

    assert world.engage.consent("memberTerms") == {"true": {new, agreed}, "false": {refused}}
    run = status["lastRun"]
    assert (run["accepted"], run["adopted"], run["declined"], run["outcome"]) == (1, 1, 1, "Succeeded")
    assert status["members"] == 2

    world.engage.reset_requests()
    again = world.run()
    assert (again["diff"]["entering"], again["lastRun"]["declined"]) == (0, 0)
    assert world.engage.requests()["total"] == 0
    assert "1 declined earlier" in ready(again)["message"]


def test_a_newer_yes_follows_an_older_no_and_an_older_one_does_not(world: World) -> None:
    newer, older = world.people(2)
    now = datetime.now(UTC)
    no = {"value": False, "date": (now - timedelta(hours=2)).isoformat()}
    for one in (newer, older):
        world.engage.decide(one, consents={"memberTerms": no})
    world.connect()
    later, before = now - timedelta(hours=1), now - timedelta(days=1)
    query = (
        f"select '{newer}' as contact_id, '{later.isoformat()}' as decided_at"
        f" union all select '{older}', '{before.isoformat()}'"
    )
    audience = world.audience(query, contactId="contact_id") | {"decidedAt": "decided_at"}

    status = world.start(consenting(world, audience=audience))

    assert world.engage.consent("memberTerms") == {"true": {newer}, "false": {older}}
    assert status["members"] == 1


def test_whoever_unsubscribed_after_being_opted_in_is_not_opted_in_again(world: World) -> None:
    stays, leaves = world.people(2)
    world.select([stays, leaves])
    world.connect()
    world.start(subscribing(world))
    assert world.engage.preference("acceptsEmail")["true"] == {stays, leaves}

    world.engage.decide(leaves, preferences={"acceptsEmail": False})
    world.select([stays])
    world.run()
    world.select([stays, leaves])
    status = world.run()

    assert world.engage.preference("acceptsEmail")["false"] == {leaves}
    assert (status["lastRun"]["declined"], status["members"]) == (1, 1)


def test_an_address_that_is_somebody_elses_by_now_opts_nobody_out(world: World) -> None:
    one, other = world.people(2)
    world.engage.decide(one, preferences={"acceptsEmail": True})
    world.engage.decide(other, preferences={"acceptsEmail": True})
    world.fill([(None, address(one))])
    world.connect()
    opting_out = world.activation(
        target={"preference": {"channel": "Email", "onEnter": "Decline", "onExit": "Keep"}}, governance=GOVERNANCE
    )
    plan_only = opting_out | {"spec": opting_out["spec"] | {"mode": "Plan"}}
    world.start(plan_only)  # remembers whom the address belongs to
    world.engage.decide(one, email="moved@people.example")
    world.apply(opting_out)

    status = world.run()
    assert world.engage.preference("acceptsEmail")["false"] == set()
    assert (status["lastRun"]["rejected"], status["lastRun"]["outcome"]) == (1, "Partial")
    assert "AddressChanged" in status["lastRun"]["message"]

    status = world.run()  # the address is looked up again, and found to be nobody's
    assert (status["lastRun"]["unmatched"], status["lastRun"]["rejected"]) == (1, 0)


def test_past_its_review_nobody_is_opted_in_and_leaving_still_opts_out(world: World) -> None:
    member, candidate = world.people(2)
    world.select([member])
    world.connect()
    world.start(subscribing(world))
    world.select([candidate])

    world.apply(subscribing(world, governance=GOVERNANCE | {"reviewBy": "2026-01-31"}))
    status = world.run()

    assert world.engage.preference("acceptsEmail") == {"true": set(), "false": {member}}
    assert ready(status)["reason"] == "GuardBlocked"
    assert "review was due by 2026-01-31" in ready(status)["message"]
    assert "plan" not in status, "there is nothing to approve"
