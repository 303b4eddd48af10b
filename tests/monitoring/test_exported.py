"""What alerts need beside the contract: the Ready condition, when a success is due, and nothing that is no more so."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from voyado_operator.reconcile.measuring import show_status
from voyado_operator.telemetry.metrics import Metrics

from tests.unit.reconcile.objects import NOW, activation, done

LAST = {"lastSuccessfulRun": {"id": "one", "finishedAt": NOW}}
HOURLY, WEEKDAYS = {"every": "1h"}, {"cron": "0 6 * * 1-5", "timeZone": "UTC"}
DUE = "voyado_activation_success_due_timestamp_seconds"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(registry)


def show(metrics: Metrics, reason: str = "Succeeded", status: dict[str, Any] | None = None, **spec: Any) -> None:
    shown = activation(status=done(reason=reason, **(status or {})), age=2, **spec)
    show_status(metrics, shown, shown.status)


def exported(registry: CollectorRegistry, name: str) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if line.startswith(f"{name}{{")]


def due(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value(DUE, {"namespace": "marketing", "activation": "vip"})


def test_an_activation_has_one_reason_at_a_time(metrics: Metrics, registry: CollectorRegistry) -> None:
    show(metrics, "SourceFailed")
    show(metrics, "SourceFailed")
    assert exported(registry, "voyado_activation_ready") == [
        'voyado_activation_ready{activation="vip",namespace="marketing",reason="SourceFailed"} 0.0'
    ]

    show(metrics, "Succeeded")
    assert exported(registry, "voyado_activation_ready") == [
        'voyado_activation_ready{activation="vip",namespace="marketing",reason="Succeeded"} 1.0'
    ]

    metrics.activation_gone(activation().metadata.key)
    assert not exported(registry, "voyado_activation_ready")


@pytest.mark.parametrize(
    ("schedule", "status", "after"),
    [
        (HOURLY, LAST, timedelta(hours=1, minutes=3)),  # with the jitter
        (HOURLY, {}, timedelta(days=-2, hours=1, minutes=3)),  # it never succeeded: from its creation
        (WEEKDAYS, LAST, timedelta(hours=18)),  # noon on a Monday
        (
            WEEKDAYS,
            {"lastSuccessfulRun": {"id": "one", "finishedAt": NOW + timedelta(days=4)}},
            timedelta(days=6, hours=18),
        ),
    ],
    ids=["every", "never", "cron", "over a weekend"],
)
def test_a_success_is_due_at_the_next_slot_after_the_latest_one(
    metrics: Metrics, registry: CollectorRegistry, schedule: dict[str, str], status: dict[str, Any], after: timedelta
) -> None:
    show(metrics, "SourceFailed", status, schedule=schedule)

    assert due(registry) == (NOW + after).timestamp()


@pytest.mark.parametrize(
    "spec",
    [
        {"schedule": HOURLY, "suspend": True},
        {"schedule": HOURLY, "mode": "Plan"},
        {"schedule": {"cron": "0 6 * * *", "timeZone": "Europe/Atlantis"}},
        {},
    ],
    ids=["suspended", "only planning", "no such zone", "no schedule"],
)
def test_no_success_is_due_where_none_is_asked_for(
    metrics: Metrics, registry: CollectorRegistry, spec: dict[str, Any]
) -> None:
    show(metrics, status=LAST, schedule=HOURLY)
    assert due(registry)

    show(metrics, status=LAST, **spec)

    assert due(registry) is None


def test_drift_is_forgotten_when_nothing_is_read_back_any_more(metrics: Metrics, registry: CollectorRegistry) -> None:
    metrics.drift.labels("marketing", "vip").set(0.5)
    show(metrics, drift={"sample": 100})
    assert exported(registry, "voyado_activation_drift_ratio")

    show(metrics)

    assert not exported(registry, "voyado_activation_drift_ratio")
