"""What `kubectl wait`, Argo CD and Flux conclude from the status, at every moment of a run."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.world import CONNECTIONS, Status, World, condition, ready

STALLED = {"InvalidSpec", "TargetConflict", "TargetNotFound", "TargetUnsafe", "GuardBlocked", "CredentialsInvalid"}


def assert_reads_like_kstatus(status: Status, generation: int) -> None:
    """DESIGN 3.2's table; `observedGeneration` in every write."""
    found = {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}
    assert status["observedGeneration"] == generation
    assert all(one["observedGeneration"] == generation for one in status["conditions"])
    assert found.keys() <= {"Ready", "Reconciling", "Stalled"}
    state, reason = found["Ready"]
    if state == "True":
        assert found.keys() == {"Ready"}
    elif state == "Unknown":
        assert reason == "Progressing"
        assert found["Reconciling"] == ("True", "Progressing")
        assert "Stalled" not in found
    elif reason in STALLED:
        assert found["Stalled"] == ("True", reason)
        assert "Reconciling" not in found
    else:
        assert found["Reconciling"] == ("True", "ProgressingWithRetry")
        assert "Stalled" not in found


def until(versions: Iterator[Status], wanted: Callable[[Status], bool]) -> Iterator[Status]:
    """Every written version up to the first that is as wanted."""
    for status in versions:
        if status.get("conditions"):
            yield status
            if wanted(status):
                return
    raise AssertionError("the watch ended first")


def test_a_new_activation_beside_its_new_connection_takes_two_writes(world: World) -> None:
    world.select(world.people(3))
    world.connect()
    world.apply(world.activation(schedule={"every": "1h"}))

    seen = list(until(world.versions(), lambda status: ready(status)["status"] == "True"))

    assert [ready(status)["reason"] for status in seen] == ["Progressing", "Succeeded"]


def test_a_probe_that_takes_long_is_told_of(world: World) -> None:
    world.select(world.people(3))
    world.engage.faults({"kind": "hold", "method": "GET"})
    world.connect()
    world.apply(world.activation(schedule={"every": "1h"}))

    said = "waiting until the VoyadoConnection engage is probed"
    status = world.await_status(lambda status: ready(status).get("message") == said)

    assert_reads_like_kstatus(status, generation=1)
    world.engage.faults()
    world.await_reason("Succeeded")


@pytest.fixture
def slow(world: World) -> World:
    """A tenant that takes its time, so that there is a run to watch."""
    world.connect(bulk={"mode": "Off"})
    world.await_reason("Succeeded", "engage", CONNECTIONS)
    world.engage.faults({"kind": "latency", "method": "PATCH", "seconds": 1.5})
    return world


def test_a_new_generation_is_in_progress_until_its_run_has_ended(slow: World) -> None:
    people = slow.people(150)
    slow.select(people)
    slow.apply(slow.activation(schedule={"every": "1h"}))

    seen = list(until(slow.versions(), lambda status: ready(status)["status"] == "True"))

    for status in seen:
        assert_reads_like_kstatus(status, generation=1)
    assert ready(seen[0])["status"] == "Unknown"
    assert "Applying" in {status.get("progress", {}).get("phase") for status in seen}, "a long run shows how far it is"
    assert "progress" not in seen[-1]
    assert slow.labelled == set(people)


def test_a_scheduled_run_of_a_known_generation_never_looks_unready(slow: World) -> None:
    people = slow.people(150)
    slow.apply(slow.activation(schedule={"every": "1h"}, guards={"allowEmpty": True}))
    slow.await_reason("Succeeded")
    slow.select(people)
    versions = slow.versions()
    slow.annotate("vip", "requestedAt", "now")

    seen = list(until(versions, lambda status: status.get("lastHandledReconcileAt") == "now"))

    assert {ready(status)["status"] for status in seen} == {"True"}
    assert {tuple(one["type"] for one in status["conditions"]) for status in seen} == {("Ready",)}
    assert any(status.get("progress") for status in seen)


def test_a_change_of_the_spec_shows_the_new_generation_from_the_first_write(world: World) -> None:
    world.connect()
    world.select(world.people(3))
    before = world.start(world.activation(schedule={"every": "1h"}))
    objects = world.objects_seen()
    world.apply(world.activation(schedule={"every": "2h"}))

    changed = (one["status"] for one in objects if one["metadata"]["generation"] == 2 and one["status"] != before)
    seen = list(until(changed, lambda status: ready(status)["status"] == "True"))

    for status in seen:
        assert_reads_like_kstatus(status, generation=2)
    assert len(seen) <= 2, "one write when it has ended, and one when it begins where it takes a second"


def test_what_a_person_must_repair_is_stalled_and_what_passes_is_retried(world: World) -> None:
    world.connect()
    world.apply(world.activation(schedule={"every": "1h"}))

    blocked = world.await_reason("GuardBlocked")  # an empty audience
    world.postgres.execute(f"drop table {world.table}")
    failed = world.run()

    assert_reads_like_kstatus(blocked, generation=1)
    assert_reads_like_kstatus(failed, generation=1)
    assert ready(failed)["reason"] == "SourceFailed"


def test_the_time_of_a_transition_moves_only_with_the_status(world: World) -> None:
    world.connect()
    world.select(world.people(3))
    first = world.start(world.activation())
    again = world.run()

    assert (condition(again, "Ready") or {})["lastTransitionTime"] == ready(first)["lastTransitionTime"]


def test_a_connection_reads_like_kstatus_too(world: World) -> None:
    world.apply(world.connection())
    versions = until(world.versions("engage", CONNECTIONS), lambda status: ready(status)["status"] == "True")

    for status in versions:
        assert_reads_like_kstatus(status, generation=1)
