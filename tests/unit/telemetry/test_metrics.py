"""The names that dashboards and alerts rely on (DESIGN 8), and that series go with their object."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from voyado_operator.api.common import ObjectKey
from voyado_operator.domain.delivery import Operation, Result
from voyado_operator.telemetry.metrics import Metrics

VIP, ENGAGE = ObjectKey("marketing", "vip"), ObjectKey("marketing", "engage")
CONTRACT = [
    "voyado_activation_runs_total",
    "voyado_activation_run_duration_seconds",
    "voyado_activation_run_phase_duration_seconds",
    "voyado_activation_members",
    "voyado_activation_audience_size",
    "voyado_activation_changes_total",
    "voyado_activation_pending_changes",
    "voyado_activation_invalid_rows",
    "voyado_activation_unmatched_contacts",
    "voyado_activation_blocked",
    "voyado_activation_drift_ratio",
    "voyado_activation_last_success_timestamp_seconds",
    "voyado_activation_next_run_timestamp_seconds",
    "voyado_activation_suspended",
    "voyado_connection_ready",
    "voyado_connection_rate_limit_requests_per_second",
    "voyado_engage_requests_total",
    "voyado_engage_request_duration_seconds",
    "voyado_engage_throttle_wait_seconds_total",
    "voyado_operator_active_runs",
    "voyado_operator_overdue_activations",
    "voyado_operator_build_info",
]


@pytest.mark.parametrize("name", CONTRACT)
def test_every_metric_of_the_contract_is_exported(name: str) -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    assert f"# HELP {name} " in generate_latest(registry).decode()


def test_the_series_of_an_object_go_with_it() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.members.labels(*VIP).set(5)
    metrics.members.labels("marketing", "other").set(6)
    metrics.changed(VIP, [((Operation.ADD, Result.ACCEPTED), 5)])
    metrics.request(ENGAGE, "find contact", "200", 0.1)

    metrics.activation_gone(VIP)
    metrics.connection_gone(ENGAGE)

    exported = generate_latest(registry).decode()
    assert 'activation="vip"' not in exported
    assert 'connection="engage"' not in exported
    assert 'voyado_activation_members{activation="other",namespace="marketing"} 6.0' in exported


def test_an_activation_without_a_next_run_has_no_time_to_be_late_for() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.next_run.labels(*VIP).set(1)
    metrics.runs_no_more(VIP)
    assert "next_run_timestamp_seconds{" not in generate_latest(registry).decode()
