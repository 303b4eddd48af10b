"""Schedules, requests, suspension, new targets, deletion, restarts."""

from pathlib import Path

import pytest

from tests.cluster.world import CONNECTIONS, GOVERNANCE, World, condition, ready
from tests.controlplane.postgres import Postgres
from tests.engage import EngageAdmin
from tests.installed import Cluster
from tests.running import running_operator


@pytest.fixture
def people(world: World) -> list[str]:
    """Ten contacts, the audience of a connected world."""
    people = world.people(10)
    world.connect()
    world.select(people)
    return people


def test_applying_everything_at_once_converges(world: World) -> None:
    """In whatever order: the activation first, then its connection, then their Secrets."""
    people = world.people(3)
    world.select(people)
    world.kubectl("delete", "secret", "engage", "warehouse")
    world.apply(world.activation(schedule={"every": "1h"}), world.connection())
    world.secret("engage", apiKey=world.engage.api_key)
    world.secret("warehouse", uri=world.postgres.uri)

    world.kubectl("wait", "--for=condition=Ready", "segact,vconn", "--all", "--timeout=60s")

    assert world.labelled == set(people)


def test_a_schedule_runs_again_and_again(world: World, people: list[str]) -> None:
    world.apply(world.activation(schedule={"every": "10s"}))
    first = world.await_reason("Succeeded")
    world.select(people[:8])

    world.await_status(lambda status: status["lastRun"]["id"] != first["lastRun"]["id"])

    assert world.labelled == set(people[:8])


def test_a_cron_schedule_tells_when_it_runs_next(world: World, people: list[str]) -> None:
    world.apply(world.activation(schedule={"cron": "0 6 1 1 *", "timeZone": "Europe/Stockholm"}))

    status = world.await_reason("Succeeded")

    assert status["nextRunTime"].endswith("-01-01T05:00:00Z")
    assert (world.metric("voyado_activation_next_run_timestamp_seconds") or 0) > 0


def test_without_a_schedule_it_runs_only_when_asked(world: World, people: list[str]) -> None:
    world.apply(world.activation())
    status = world.await_reason("Succeeded")
    assert "runs when it is asked to" in ready(status)["message"]
    assert world.labelled == set()

    world.run()

    assert world.labelled == set(people)


def test_a_suspended_activation_does_nothing_until_it_is_resumed(world: World, people: list[str]) -> None:
    world.apply(world.activation(suspend=True, schedule={"every": "10s"}))
    status = world.await_reason("Suspended")
    assert (ready(status)["status"], "nextRunTime" in status) == ("True", False)
    assert world.metric("voyado_activation_suspended") == 1

    world.apply(world.activation(suspend=False, schedule={"every": "1h"}))

    world.await_reason("Succeeded")
    assert world.labelled == set(people)


def test_a_suspended_connection_suspends_its_activations(world: World, people: list[str]) -> None:
    world.connect(suspend=True)
    world.await_reason("Suspended", "engage", CONNECTIONS)
    world.apply(world.activation(schedule={"every": "1h"}))
    world.await_reason("Suspended")

    world.connect()

    world.await_reason("Succeeded")
    assert world.labelled == set(people)


def test_plan_mode_tells_and_writes_nothing(world: World, people: list[str]) -> None:
    status = world.start(world.activation(mode="Plan"))

    assert (ready(status)["status"], ready(status)["reason"]) == ("True", "Planned")
    assert (status["lastRun"]["outcome"], status["diff"]["entering"]) == ("Planned", 10)
    assert len(status["diff"]["sample"]["entering"]) == 10
    assert not set(people) & set(status["diff"]["sample"]["entering"])
    assert world.writes == 0


def test_a_plan_can_be_asked_for_while_enforcing(world: World, people: list[str]) -> None:
    before = world.start(world.activation(schedule={"every": "1h"}))
    world.select(people[:7])

    world.annotate("vip", "planRequestedAt", "now")
    planned = world.await_status(lambda status: status.get("lastHandledPlanAt") == "now")

    assert (planned["lastRun"]["outcome"], planned["diff"]["leaving"]) == ("Planned", 3)
    assert planned["conditions"] == before["conditions"]
    assert planned["nextRunTime"] == before["nextRunTime"]
    assert world.labelled == set(people)


def test_a_plan_can_be_asked_for_while_planning(world: World, people: list[str]) -> None:
    """It is answered once: a request without an answer would be run for again and again."""
    world.start(world.activation(mode="Plan"))

    world.annotate("vip", "planRequestedAt", "now")
    world.await_status(lambda status: status.get("lastHandledPlanAt") == "now")
    again = world.run()

    assert [one["outcome"] for one in again["history"]] == ["Planned"] * 3
    assert again["lastHandledPlanAt"] == "now"
    assert world.writes == 0


def test_a_new_target_leaves_the_former_one_as_it_is(world: World, people: list[str]) -> None:
    first = world.start(world.activation())

    second = world.start(world.activation(target={"label": {"name": "gold"}}))

    assert world.labelled == set(people)
    assert world.engage.attribute("label_gold") == set(people)
    assert second["ledger"]["url"] != first["ledger"]["url"]
    world.await_event("TargetRetained", "0 contacts were taken off the former target label vip")


def test_another_type_of_contacts_goes_on_with_the_targets_ledger(world: World, people: list[str]) -> None:
    """The same tenant, and the same label."""
    first = world.start(world.activation())
    world.apply(world.connection("members", contactType="Member"))

    second = world.start(world.activation(connectionRef={"name": "members"}))

    assert second["ledger"]["url"] == first["ledger"]["url"]
    assert (second["members"], second["diff"]["entering"]) == (10, 0)


def test_a_new_target_is_withdrawn_from_the_former_one_where_the_policy_says_so(
    world: World, people: list[str]
) -> None:
    world.start(world.activation(deletionPolicy="Withdraw"))

    world.start(world.activation(deletionPolicy="Withdraw", target={"label": {"name": "gold"}}))

    assert world.labelled == set()
    assert world.engage.attribute("label_gold") == set(people)
    world.await_event("TargetWithdrawn", "10 contacts were taken off")


def test_deleting_with_retain_leaves_the_label_and_resumes_when_created_again(world: World, people: list[str]) -> None:
    world.start(world.activation())
    world.kubectl("delete", "segact", "vip", "--timeout=5s")
    assert world.labelled == set(people)
    assert world.metric("voyado_activation_members") is None, "series go when the object goes"
    world.select(people[:9])
    world.engage.reset_requests()

    status = world.start(world.activation())

    assert (status["diff"]["entering"], status["diff"]["leaving"]) == (0, 1)
    assert world.labelled == set(people[:9])


def test_deleting_with_withdraw_takes_everybody_off_first(world: World, people: list[str]) -> None:
    world.start(world.activation(deletionPolicy="Withdraw"))

    world.kubectl("delete", "segact", "vip", "--timeout=10s")

    assert world.labelled == set()


def test_deleting_in_the_middle_of_a_run_leaves_nobody_with_the_label(world: World) -> None:
    people = world.people(300)
    world.connect(bulk={"mode": "Off"})
    world.select(people)
    world.engage.faults({"kind": "latency", "method": "PATCH", "seconds": 0.3})
    world.apply(world.activation(deletionPolicy="Withdraw", schedule={"every": "1h"}))
    while not world.labelled:
        pass

    world.kubectl("delete", "segact", "vip", "--timeout=60s")

    assert world.labelled == set()


def test_deleting_an_opt_in_with_withdraw_writes_a_no(world: World, people: list[str]) -> None:
    target = {"consent": {"id": "memberTerms", "onEnter": "Accept", "onExit": "Keep"}}
    more = {"governance": GOVERNANCE, "guards": {"maxAdditions": 10}}
    world.start(world.activation(target=target, deletionPolicy="Withdraw", **more))

    world.kubectl("delete", "segact", "vip", "--timeout=10s")

    assert world.engage.consent("memberTerms") == {"true": set(), "false": set(people)}


@pytest.mark.parametrize("gone", [["vconn", "engage"], ["secret", "engage"]])
def test_an_object_can_be_deleted_though_what_its_withdrawal_needs_is_gone(
    world: World, people: list[str], gone: list[str]
) -> None:
    world.start(world.activation(deletionPolicy="Withdraw"))
    world.kubectl("delete", *gone, "--timeout=10s")

    world.kubectl("delete", "segact", "vip", "--timeout=60s")

    assert world.labelled == set(people)
    world.await_event("TargetRetained", "10 members stay on the target")


def test_whom_engage_refuses_to_take_off_is_left_and_said(world: World, people: list[str]) -> None:
    world.start(world.activation(deletionPolicy="Withdraw"))
    world.engage.faults({"kind": "status", "method": "PATCH", "path": people[0], "status": 422})

    world.kubectl("delete", "segact", "vip", "--timeout=30s")

    assert world.labelled == {people[0]}
    world.await_event("TargetWithdrawn", "9 contacts were taken off; 1 stay on it")


def test_a_namespace_can_be_deleted_with_everything_in_it(world: World, people: list[str]) -> None:
    """There is no namespace controller here, so its part is played: everything goes at once."""
    world.start(world.activation(deletionPolicy="Withdraw"))

    world.kubectl("delete", "secret,vconn,segact", "--all", "--timeout=60s")

    assert world.kubectl("get", "segact,vconn", "-o", "name") == ""


def test_a_withdrawal_that_does_not_get_on_can_be_called_off(world: World, people: list[str]) -> None:
    world.start(world.activation(deletionPolicy="Withdraw"))
    world.engage.faults({"kind": "status", "method": "PATCH", "status": 503, "retryAfter": 0})
    world.kubectl("delete", "segact", "vip", "--wait=false")
    world.await_reason("EngageUnavailable")

    world.kubectl("patch", "segact", "vip", "--type=merge", '-p={"spec":{"deletionPolicy":"Retain"}}')

    world.kubectl("wait", "--for=delete", "segact/vip", "--timeout=60s")
    world.await_event("TargetRetained", "deletionPolicy is Retain by now")


def test_the_younger_of_two_activations_of_one_target_is_refused_until_the_older_goes(
    world: World, people: list[str]
) -> None:
    world.start(world.activation("older"))
    world.apply(world.activation("younger", schedule={"every": "1h"}))

    refused = world.await_reason("TargetConflict", "younger")

    assert condition(refused, "Stalled")
    assert f"{world.namespace}/older" in ready(refused)["message"]
    world.kubectl("delete", "segact", "older")
    world.await_reason("Succeeded", "younger")
    world.await_event("LedgerTakenOver", f"{world.namespace}/older", "younger")
    assert world.labelled == set(people)


def test_the_connection_counts_its_activations(world: World, people: list[str]) -> None:
    world.apply(world.activation("one"), world.activation("two", target={"label": {"name": "gold"}}))
    status = world.await_status(lambda now: now.get("activations") == 2, "engage", CONNECTIONS)

    assert status["contacts"] == 10
    assert status["consents"] == [{"id": "memberTerms", "name": "Member terms"}]
    assert status["requestsPerSecond"] == 200
    world.kubectl("delete", "segact", "one")
    world.await_status(lambda now: now.get("activations") == 1, "engage", CONNECTIONS)


def test_a_restart_neither_repeats_nor_loses(
    own_cluster: Cluster, postgres: Postgres, engage: EngageAdmin, tmp_path: Path
) -> None:
    """An operator that serves one namespace is stopped, and started again after the audience has moved on."""
    with running_operator(own_cluster.operator_kubeconfig, tmp_path, NAMESPACES="restart") as operator:
        world = World(own_cluster, operator, postgres, engage, "restart")
        people = world.people(30)
        world.connect()
        world.select(people[:20])
        first = world.start(world.activation(schedule={"every": "1h"}))
        assert operator.stop() == 0
    world.engage.reset_requests()

    world.select(people[5:25])
    with running_operator(own_cluster.operator_kubeconfig, tmp_path, NAMESPACES="restart"):
        second = world.run()

        assert world.labelled == set(people[5:25])
        assert second["history"][1:] == first["history"], "a restart is no reason to run"
        assert (second["diff"]["entering"], second["diff"]["leaving"]) == (5, 5)
        assert world.writes == 10, "only who entered or left is sent"
        world.close()
