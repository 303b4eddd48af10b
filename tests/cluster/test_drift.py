"""Members are read back: who disagrees with the ledger is told, and repaired only where that is asked for."""

from tests.cluster.world import GOVERNANCE, World, ready

EVERYBODY = {"sample": 100}


def test_drift_is_told_and_not_repaired(world: World) -> None:
    people = world.people(20)
    world.select(people)
    world.connect()
    world.start(world.activation(drift=EVERYBODY))
    for one in people[:5]:
        world.engage.write(one, label_vip=False)

    status = world.run()

    assert world.metric("voyado_activation_drift_ratio") == 0.25
    assert "drift: 5 of 20 members read back differ, 0 corrected" in ready(status)["message"]
    assert world.labelled == set(people[5:])
    assert status["members"] == 20


def test_a_label_is_put_right_where_that_is_asked_for(world: World) -> None:
    people = world.people(20)
    world.select(people)
    world.connect()
    world.start(world.activation(drift=EVERYBODY | {"onDrift": "Correct"}))
    for one in people[:5]:
        world.engage.write(one, label_vip=False)

    status = world.run()

    assert "5 of 20 members read back differ, 5 corrected" in ready(status)["message"]
    assert world.labelled == set(people)
    assert status["lastRun"]["accepted"] == 0, "a repair is no change of membership"
    world.run()
    assert world.metric("voyado_activation_drift_ratio") == 0


def test_a_member_that_engage_knows_no_more_leaves_the_ledger_and_is_not_asked_for_again(world: World) -> None:
    people = world.people(10)
    world.select(people)
    world.connect()
    world.start(world.activation(drift=EVERYBODY))
    world.engage.remove(people[0])

    status = world.run()
    assert status["members"] == 9
    assert "1 gone from Engage" in ready(status)["message"]

    status = world.run()
    assert (status["diff"]["entering"], status["lastRun"]["rejected"]) == (1, 1), "it is still in the audience"
    world.engage.reset_requests()
    status = world.run()
    assert status["lastRun"]["rejected"] == 0
    assert world.engage.requests()["byOperation"] == {"GET /contacts/{id}": 9}, "only the others are read back"


def test_a_preference_that_a_person_changed_is_left_alone(world: World) -> None:
    people = world.people(4)
    world.select(people)
    world.connect()
    target = {"preference": {"channel": "Email", "onEnter": "Accept", "onExit": "Decline"}}
    guards = {"maxAdditions": 100}
    world.start(world.activation(target=target, governance=GOVERNANCE, guards=guards, drift=EVERYBODY))
    world.engage.decide(people[0], preferences={"acceptsEmail": False})

    world.run()

    assert world.metric("voyado_activation_drift_ratio") == 0.25
    assert world.engage.preference("acceptsEmail")["true"] == set(people[1:])
