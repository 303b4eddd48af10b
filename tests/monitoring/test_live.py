"""Each alert is provoked in reality: its expression finds it in a real Prometheus, and nothing after the cure.

The wait before an alert fires is promtool's to test. Windows of minutes are cut to seconds; thresholds are as they are.
"""

import re
import shutil
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.cluster.world import ACTIVATIONS, GROUP, VERSION, World, ready
from tests.faults.restarting import Restarting
from tests.monitoring.alerts import ALERTS
from tests.monitoring.grafana import SHOWN_SECONDS, Asked, choices, queries
from tests.monitoring.prometheus import OPERATORS, Prometheus
from tests.monitoring.promtool import promtool

WINDOW = "[3s]"
HOURLY = {"every": "1h"}


def expression(alert: str) -> str:
    return re.sub(r"\[\d+m\]", WINDOW, ALERTS[alert]["expr"])


def members(world: World, number: int, **spec: object) -> list[str]:
    """Contacts that an hourly activation has made members, one call each."""
    people = world.people(number)
    world.select(people)
    world.connect(bulk={"mode": "Off"})
    world.apply(world.activation(**{"schedule": HOURLY} | spec))
    world.await_reason("Succeeded")
    return people


def assert_seen(prometheus: Prometheus, world: World, alert: str, **labels: str) -> None:
    found = prometheus.await_some(expression(alert), namespace=world.namespace, **labels)
    assert set(found) == {"namespace", *labels}, "no label of the operator's pod, or a restart would begin it anew"


def assert_clear(prometheus: Prometheus, world: World, alert: str) -> None:
    prometheus.await_none(expression(alert), namespace=world.namespace)


def test_nothing_is_seen_while_all_is_well(world: World, prometheus: Prometheus) -> None:
    members(world, 3, drift={"sample": 10})
    world.run()
    prometheus.await_some("voyado_activation_drift_ratio", namespace=world.namespace, activation="vip")

    for alert in ALERTS:
        prometheus.await_none(expression(alert))


def test_promtool_has_nothing_against_the_metrics(world: World, operators: Restarting) -> None:
    members(world, 3)

    checked = promtool("check", "metrics", "--lint=all", stdin=operators.running.metrics())

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_broken_source(world: World, prometheus: Prometheus) -> None:
    members(world, 3)
    world.postgres.execute(f"alter table {world.table} rename to {world.table}_away")
    world.run()
    assert_seen(prometheus, world, "VoyadoActivationFailing", activation="vip")

    world.postgres.execute(f"alter table {world.table}_away rename to {world.table}")
    world.run()
    assert_clear(prometheus, world, "VoyadoActivationFailing")


def test_a_failing_activation_that_is_suspended_or_deleted(world: World, prometheus: Prometheus) -> None:
    world.connect()
    failing = world.audience("select nothing from nowhere")
    for name in ("suspended", "deleted"):
        world.apply(world.activation(name, audience=failing, target={"label": {"name": name}}, schedule=HOURLY))
        assert_seen(prometheus, world, "VoyadoActivationFailing", activation=name)

    world.kubectl("patch", "segact", "suspended", "--type=merge", "-p", '{"spec": {"suspend": true}}')
    world.kubectl("delete", "segact", "deleted")

    assert_clear(prometheus, world, "VoyadoActivationFailing")


def test_a_connection_that_does_not_exist(world: World, prometheus: Prometheus) -> None:
    world.select(world.people(3))
    world.apply(world.activation(schedule=HOURLY))
    assert_seen(prometheus, world, "VoyadoActivationFailing", activation="vip")

    world.connect()
    assert_clear(prometheus, world, "VoyadoActivationFailing")


def test_a_plan_that_a_guard_holds(world: World, prometheus: Prometheus) -> None:
    people = members(world, 60)
    world.select(people[:30])
    world.run()
    assert_seen(prometheus, world, "VoyadoActivationBlocked", activation="vip")

    world.apply(world.activation(schedule=HOURLY, suspend=True))
    assert_clear(prometheus, world, "VoyadoActivationBlocked")
    world.apply(world.activation(schedule=HOURLY, suspend=False))
    assert_seen(prometheus, world, "VoyadoActivationBlocked", activation="vip")

    world.annotate("vip", "approve", world.await_reason("GuardBlocked")["plan"]["digest"])
    assert_clear(prometheus, world, "VoyadoActivationBlocked")


def test_contacts_that_engage_refuses(world: World, prometheus: Prometheus) -> None:
    people = members(world, 30)
    world.select(people + world.people(12))
    world.engage.faults({"kind": "status", "method": "PATCH", "status": 422})
    world.run()
    assert_seen(prometheus, world, "VoyadoActivationPartial", activation="vip")

    world.engage.faults()
    world.apply(world.activation(schedule=HOURLY, historyLimit=9))  # any change of the spec tries them at once
    assert_clear(prometheus, world, "VoyadoActivationPartial")


def test_a_change_of_which_nobody_knows(world: World, prometheus: Prometheus) -> None:
    people = members(world, 30)
    world.select(people + world.people(1))
    world.engage.faults({"kind": "garbage", "method": "PATCH", "times": 1})
    assert world.run()["lastRun"]["unknown"] == 1
    assert_seen(prometheus, world, "VoyadoActivationPartial", activation="vip")

    world.run()
    assert_clear(prometheus, world, "VoyadoActivationPartial")


def test_somebody_else_who_changes_the_target(world: World, prometheus: Prometheus) -> None:
    people = members(world, 10, drift={"sample": 100})
    world.engage.write(people[0], label_vip=False)
    world.run()
    assert_seen(prometheus, world, "VoyadoActivationDrift", activation="vip")

    world.engage.write(people[0], label_vip=True)
    world.run()
    assert_clear(prometheus, world, "VoyadoActivationDrift")


def test_drift_that_is_not_looked_for_any_more(world: World, prometheus: Prometheus) -> None:
    people = members(world, 10, drift={"sample": 100})
    world.engage.write(people[0], label_vip=False)
    world.run()
    assert_seen(prometheus, world, "VoyadoActivationDrift", activation="vip")

    activation = world.activation(schedule=HOURLY)
    world.apply(activation)
    assert_clear(prometheus, world, "VoyadoActivationDrift")


def test_a_ledger_that_is_lost(world: World, prometheus: Prometheus) -> None:
    members(world, 3)
    shutil.rmtree(world.status()["ledger"]["url"].removeprefix("file://"))
    world.run()
    assert_seen(prometheus, world, "VoyadoActivationLedgerLost", activation="vip")

    world.kubectl("delete", "segact", "vip")
    assert_clear(prometheus, world, "VoyadoActivationLedgerLost")


def test_a_key_that_is_revoked(world: World, prometheus: Prometheus) -> None:
    people = members(world, 3)
    world.select(people + world.people(1))
    world.engage.configure(apiKeys=["another"])
    world.run()
    assert_seen(prometheus, world, "VoyadoConnectionNotReady", connection="engage")
    assert_clear(prometheus, world, "VoyadoActivationFailing")  # one alert for all activations of the tenant

    world.secret("engage", apiKey="another")
    assert_clear(prometheus, world, "VoyadoConnectionNotReady")
    world.await_reason("Succeeded")


def test_somebody_else_who_uses_the_rate(world: World, prometheus: Prometheus) -> None:
    people = members(world, 1)
    world.engage.configure(rateLimit=20, retryAfter=0.1)
    people += world.people(60)
    world.select(people)
    world.annotate("vip", "requestedAt", "now")
    assert_seen(prometheus, world, "VoyadoConnectionThrottled", connection="engage")

    world.engage.configure(rateLimit=200)
    world.await_status(lambda status: status.get("members") == len(people))
    world.run()
    assert_clear(prometheus, world, "VoyadoConnectionThrottled")


def test_an_operator_that_is_stopped(world: World, operators: Restarting, prometheus: Prometheus) -> None:
    down = expression("VoyadoOperatorDown")
    prometheus.await_none(down)

    operators.running.process.send_signal(signal.SIGSTOP)
    try:
        assert prometheus.await_some(down) == {}
    finally:
        operators.running.process.send_signal(signal.SIGCONT)
    prometheus.await_none(down)


def test_an_operator_that_nobody_knows_of(operators: Restarting, prometheus: Prometheus) -> None:
    prometheus.scrape()
    assert prometheus.await_some(expression("VoyadoOperatorDown")) == {}

    prometheus.scrape(operators.running.metrics_port)
    prometheus.await_none(expression("VoyadoOperatorDown"))


def test_an_event_loop_that_does_not_turn(operators: Restarting, prometheus: Prometheus) -> None:
    stuck, slow = expression("VoyadoOperatorStuck"), expression("VoyadoOperatorSlow")
    prometheus.await_none(stuck)

    operators.running.process.send_signal(signal.SIGUSR1)
    assert prometheus.await_some(stuck) == {"namespace": OPERATORS, "job": "voyado-operator"}

    prometheus.await_none(stuck)
    assert prometheus.await_some(slow) == {"namespace": OPERATORS, "job": "voyado-operator"}  # it came late to the rest
    prometheus.await_none(slow)


def test_a_watch_that_brings_nothing(world: World, operators: Restarting, prometheus: Prometheus) -> None:
    """The operator goes deaf while a run is under way, and writes its end."""
    dead = expression("VoyadoOperatorWatchDead")
    world.select(world.people(3))
    world.connect(bulk={"mode": "Off"})
    world.engage.faults({"kind": "hold", "method": "PATCH"})
    world.apply(world.activation(schedule=HOURLY))
    world.await_reason("Progressing")

    operators.running.process.send_signal(signal.SIGUSR2)
    world.engage.faults()
    world.await_reason("Succeeded")
    assert prometheus.await_some(dead, seconds=60) == {"namespace": OPERATORS, "job": "voyado-operator"}

    operators.running.process.send_signal(signal.SIGUSR2)
    world.run()
    prometheus.await_none(dead)


def test_an_operator_that_was_away_too_long(world: World, operators: Restarting, prometheus: Prometheus) -> None:
    """Its activation was due twenty minutes ago and last succeeded two days ago; Engage keeps it waiting at first."""
    people = members(world, 3)
    operators.kill()
    prometheus.await_some(expression("VoyadoOperatorDown"))
    pretend_long_ago(world)
    world.postgres.execute(f"alter table {world.table} rename to {world.table}_away")
    world.engage.faults({"kind": "hold", "method": "GET", "path": "consents"})
    world.connect(requestsPerSecond=100)  # probed anew, which the activation waits for
    world.apply(world.activation(schedule=HOURLY, historyLimit=9))

    prometheus.scrape(operators.start().metrics_port)

    assert_seen(prometheus, world, "VoyadoActivationOverdue", activation="vip")
    prometheus.await_some("voyado_operator_overdue_activations > 0", namespace=OPERATORS)
    prometheus.await_some(expression("VoyadoOperatorStuck"), job="voyado-operator")
    prometheus.await_none(expression("VoyadoOperatorDown"))
    await_health(operators, httpx.codes.INTERNAL_SERVER_ERROR)
    world.engage.faults()
    assert_clear(prometheus, world, "VoyadoActivationOverdue")
    prometheus.await_none(expression("VoyadoOperatorStuck"))
    await_health(operators, httpx.codes.OK)

    assert ready(world.await_reason("SourceFailed"))["status"] == "False"
    assert_seen(prometheus, world, "VoyadoActivationStale", activation="vip")
    world.postgres.execute(f"alter table {world.table}_away rename to {world.table}")
    world.run()
    assert_clear(prometheus, world, "VoyadoActivationStale")
    assert world.labelled == set(people)


def await_health(operators: Restarting, code: int) -> None:
    """Kopf keeps an answer for ten seconds."""
    deadline = time.monotonic() + 20
    while (said := operators.running.health().status_code) != code:
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def pretend_long_ago(world: World) -> None:
    """As the status would be, had the operator been away so long."""
    now = datetime.now(UTC)
    status = world.status()
    status["nextRunTime"] = f"{now - timedelta(minutes=20):%Y-%m-%dT%H:%M:%SZ}"
    status["lastSuccessfulRun"]["finishedAt"] = f"{now - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    world.objects.patch_namespaced_custom_object_status(
        *(GROUP, VERSION, world.namespace, ACTIVATIONS, "vip"),
        {"status": status},
        _content_type="application/merge-patch+json",
    )


def test_every_panel_has_something_to_show(world: World, prometheus: Prometheus) -> None:
    """After three runs, with people who enter and leave, and an error of Engage."""
    people = members(world, 20, drift={"sample": 10})
    world.select(people[5:] + world.people(5))
    world.engage.faults({"kind": "status", "method": "PATCH", "status": 500, "times": 1})
    world.run()
    world.run()
    variables = {"namespace": world.namespace, "activation": "vip", "connection": "engage"}

    for name, selector, label in choices(variables):
        assert variables[name] in prometheus.values(label, selector)
    deadline = time.monotonic() + 20
    while lacking := list(filter(None, (asked.lacks(prometheus) for asked in queries(variables)))):
        assert time.monotonic() < deadline, "\n".join(lacking)


def test_the_first_contacts_that_engage_refuses_are_counted(world: World, prometheus: Prometheus) -> None:
    """Of a series that begins with them, an increase would show nothing."""
    people = members(world, 30)
    world.select(people + world.people(12))
    world.engage.faults({"kind": "status", "method": "PATCH", "status": 422})
    refused = world.run()["lastRun"]["rejected"]
    variables = {"namespace": world.namespace, "activation": "vip", "connection": "engage"}
    [asked] = [one for one in queries(variables) if one.panel == "activation.json Changes by result"]

    deadline = time.monotonic() + 20
    while (shown := prometheus.totals(asked.expr, SHOWN_SECONDS)) != {"accepted": len(people), "rejected": refused}:
        assert time.monotonic() < deadline, shown


def test_a_panel_without_anything_to_show_would_be_found(operators: Restarting, prometheus: Prometheus) -> None:
    prometheus.await_some("voyado_operator_build_info", namespace=OPERATORS)

    assert Asked("one", "voyado_no_such_metric", "", is_instant=True).lacks(prometheus)
    assert Asked("one", "voyado_operator_build_info / 0 - voyado_operator_build_info / 0", "", is_instant=False).lacks(
        prometheus
    )
    assert Asked("one", "voyado_operator_build_info", "{{reason}}", is_instant=True).lacks(prometheus)
    assert not Asked("one", "voyado_operator_build_info", "{{version}}", is_instant=False).lacks(prometheus)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_provoked_here(alert: str) -> None:
    assert f'"{alert}"' in Path(__file__).read_text()
