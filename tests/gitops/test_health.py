"""The health that Argo CD shows of objects that the real operator has brought into each state."""

import pytest

from tests.cluster.test_guards import members
from tests.cluster.world import CONNECTIONS, World
from tests.controlplane.processes import free_port
from tests.gitops.watching import health, story, until, until_handled, watched

HOURLY = {"every": "1h"}


@pytest.fixture
def people(world: World) -> list[str]:
    """Ten contacts, the audience of a connected world."""
    people = world.people(10)
    world.connect()
    world.select(people)
    return people


def slow_down(world: World) -> None:
    """Engage takes its time from now on, so that there is a run to watch."""
    world.engage.faults({"kind": "latency", "method": "PATCH", "seconds": 2.5})


def test_a_new_activation_is_in_progress_until_its_first_run_has_ended(world: World, people: list[str]) -> None:
    slow_down(world)
    objects = world.objects_seen()
    world.apply(world.activation(schedule=HOURLY))

    assert story(until(objects, "Healthy")) == ["Progressing", "Healthy"]
    assert "10 members" in health(world)["message"]


def test_a_run_of_a_known_generation_leaves_it_healthy(world: World, people: list[str]) -> None:
    world.connect(bulk={"mode": "Off"})
    world.start(world.activation())
    world.select(people + world.people(150))
    slow_down(world)
    objects = watched(world)

    token = world.run()["lastHandledReconcileAt"]

    seen = list(until_handled(objects, token))
    assert any(one["status"].get("progress") for one in seen), "nothing was seen of the run"
    assert story(seen) == ["Healthy"]


def test_a_change_is_in_progress_until_its_run_has_ended(world: World, people: list[str]) -> None:
    world.start(world.activation(schedule=HOURLY))
    objects = watched(world)

    world.apply(world.activation(schedule={"every": "2h"}))

    assert story(until(objects, "Healthy")) == ["Progressing", "Healthy"]


def test_suspended(world: World, people: list[str]) -> None:
    world.apply(world.activation(suspend=True))
    world.await_reason("Suspended")

    assert health(world) == {"status": "Suspended", "message": "suspended by spec.suspend"}


def test_suspended_by_its_connection(world: World, people: list[str]) -> None:
    world.start(world.activation())
    world.connect(suspend=True)
    world.await_reason("Suspended")
    world.await_reason("Suspended", "engage", CONNECTIONS)

    assert health(world) == {"status": "Suspended", "message": "the VoyadoConnection engage is suspended"}
    assert health(world, "engage", CONNECTIONS)["status"] == "Suspended"


def test_a_plan_that_waits_is_degraded_until_it_is_dropped(world: World) -> None:
    people = members(world, 60)
    world.select(people[:30])
    world.run()
    assert health(world)["status"] == "Degraded"
    assert "maxRemovals" in health(world)["message"]

    world.select(people)
    world.run()

    assert health(world)["status"] == "Healthy"


def test_a_failing_source_is_in_progress_for_as_long_as_it_is_retried(world: World, people: list[str]) -> None:
    world.start(world.activation(schedule=HOURLY))
    world.postgres.execute(f"alter table {world.table} rename to away_{world.table}")
    world.run()
    assert health(world)["status"] == "Progressing"
    assert "a table that does not exist" in health(world)["message"]
    objects = watched(world)

    token = world.run()["lastHandledReconcileAt"]

    retried = list(until_handled(objects, token))
    assert retried
    assert story(retried) == ["Progressing"]
    world.postgres.execute(f"alter table away_{world.table} rename to {world.table}")
    world.run()
    assert health(world)["status"] == "Healthy"


def test_contacts_that_engage_refuses_leave_it_healthy(world: World, people: list[str]) -> None:
    world.connect(bulk={"mode": "Off"})
    world.start(world.activation())
    newcomer = world.people(1)
    world.select(people + newcomer)
    world.engage.remove(newcomer[0])
    world.run()

    found = world.await_reason("PartiallyApplied")

    assert found["lastRun"]["rejected"] == 1
    assert health(world)["status"] == "Healthy"
    assert "1 rejected" in health(world)["message"]


def test_the_younger_of_two_is_degraded(world: World, people: list[str]) -> None:
    world.start(world.activation("older"))
    world.apply(world.activation("younger", schedule=HOURLY))
    world.await_reason("TargetConflict", "younger")

    assert health(world, "younger")["status"] == "Degraded"
    assert f"{world.namespace}/older" in health(world, "younger")["message"]


def test_a_resumed_connection_is_in_progress_until_engage_has_answered(world: World) -> None:
    world.connect(suspend=True)
    world.await_reason("Suspended", "engage", CONNECTIONS)
    objects = watched(world, "engage", CONNECTIONS)

    world.connect()

    assert story(until(objects, "Healthy")) == ["Progressing", "Healthy"]


def test_an_engage_that_is_away_is_waited_for(world: World) -> None:
    world.connect(url=f"http://127.0.0.1:{free_port()}")
    world.apply(world.activation(schedule=HOURLY))
    world.await_reason("EngageUnavailable", "engage", CONNECTIONS)
    world.await_reason("ConnectionNotReady")

    assert health(world, "engage", CONNECTIONS)["status"] == "Progressing"
    assert health(world)["status"] == "Progressing"
    assert "is not Ready" in health(world)["message"]


def test_a_refused_key_degrades_its_connection(world: World) -> None:
    world.secret("engage", apiKey="wrong")
    world.connect()
    world.await_reason("CredentialsInvalid", "engage", CONNECTIONS)

    found = health(world, "engage", CONNECTIONS)

    assert found["status"] == "Degraded"
    assert "check the API key" in found["message"]
