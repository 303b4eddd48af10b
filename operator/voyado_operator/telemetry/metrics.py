"""The Prometheus metrics of DESIGN 8. A series goes when its object goes."""

import platform
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, disable_created_metrics

from voyado_operator import __version__
from voyado_operator.api.common import ObjectKey
from voyado_operator.domain.delivery import Operation, Result

ACTIVATION = ("namespace", "activation")
CONNECTION = ("namespace", "connection")
# Every bucket is a series of every activation: with twelve, and buckets for each phase too, 1,000 activations took
# 13 MB a scrape and 3 s of CPU.
RUN_SECONDS = (0.5, 1, 5, 15, 60, 300, 1800, 7200)
REQUEST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)

DELAY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


class Metrics:
    """All series, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # A time of creation beside every counter, which no query of ours asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry
        self._of_activations: list[Any] = []
        self._of_connections: list[Any] = []
        one, other = self._activation, self._connection
        self.runs = one(Counter, "voyado_activation_runs", "Runs by outcome.", "outcome")
        self.run_duration = one(
            Histogram, "voyado_activation_run_duration_seconds", "How long runs took.", buckets=RUN_SECONDS
        )
        self.phase_duration = one(
            Summary, "voyado_activation_run_phase_duration_seconds", "How long each phase of a run took.", "phase"
        )
        self.members = one(Gauge, "voyado_activation_members", "Contacts that Engage acknowledged as members.")
        self.audience_size = one(Gauge, "voyado_activation_audience_size", "Contacts in the audience.")
        self.changes = one(
            Counter, "voyado_activation_changes", "Changes by operation and Engage's answer.", "operation", "result"
        )
        self.pending = one(
            Gauge, "voyado_activation_pending_changes", "Changes of the latest run not yet acknowledged.", "operation"
        )
        self.invalid = one(Gauge, "voyado_activation_invalid_rows", "Source rows without a usable identifier.")
        self.unmatched = one(Gauge, "voyado_activation_unmatched_contacts", "Rows that Engage knows no contact for.")
        self.blocked = one(Gauge, "voyado_activation_blocked", "1 while a guard holds a plan back.")
        self.drift = one(Gauge, "voyado_activation_drift_ratio", "Share of members read back that Engage disagrees on.")
        self.left_behind = one(
            Counter,
            "voyado_activation_left_behind_contacts",
            "Contacts that an edit was to take off its former target, and had to leave on it.",
        )
        self.rebaselines = one(
            Counter, "voyado_activation_ledger_rebaselines", "Runs that began with a lost or damaged ledger."
        )
        self.last_success = one(
            Gauge, "voyado_activation_last_success_timestamp_seconds", "When a run last succeeded, Unix time."
        )
        self.next_run = one(Gauge, "voyado_activation_next_run_timestamp_seconds", "When the next run is due.")
        self.suspended = one(Gauge, "voyado_activation_suspended", "1 while the activation is suspended.")
        self.ready = one(Gauge, "voyado_activation_ready", "1 while its Ready condition is True, by reason.", "reason")
        self.success_due = one(
            Gauge,
            "voyado_activation_success_due_timestamp_seconds",
            "When the schedule wants the run after the latest successful one, Unix time.",
        )
        self._reasons: dict[ObjectKey, str] = {}
        self.connection_ready = other(Gauge, "voyado_connection_ready", "1 while the connection works.")
        self.rate_limit = other(
            Gauge, "voyado_connection_rate_limit_requests_per_second", "The rate in force, after back-pressure."
        )
        self.requests = other(
            Counter, "voyado_engage_requests", "HTTP requests by operation and status code.", "operation", "code"
        )
        self.request_duration = other(
            Histogram,
            "voyado_engage_request_duration_seconds",
            "How long Engage took to answer.",
            "operation",
            buckets=REQUEST_SECONDS,
        )
        self.throttled = other(
            Counter, "voyado_engage_throttle_wait_seconds", "Time requests waited for the rate limiter."
        )
        self.active_runs = Gauge("voyado_operator_active_runs", "Runs under way.", registry=registry)
        self.overdue = Gauge("voyado_operator_overdue_activations", "Activations past their time.", registry=registry)
        self.served_elsewhere = Gauge(
            "voyado_operator_served_elsewhere_activations",
            "Activations that are left alone, as another installation serves them.",
            registry=registry,
        )
        self.watch_delay = Gauge(
            "voyado_operator_watch_delay_seconds",
            "For how long the watch has not shown what the operator wrote into a status; 0 when it shows all.",
            registry=registry,
        )
        self.loop_delay = Histogram(
            "voyado_operator_event_loop_delay_seconds",
            "How late the event loop came to what was due.",
            registry=registry,
            buckets=DELAY_SECONDS,
        )
        build = Gauge("voyado_operator_build_info", "Always 1.", ("version", "python_version"), registry=registry)
        build.labels(__version__, platform.python_version()).set(1)

    def changed(self, activation: ObjectKey, counts: Iterable[tuple[tuple[Operation, Result], int]]) -> None:
        """Add to the changes that Engage answered for."""
        for (operation, result), count in counts:
            self.changes.labels(*activation, operation.value, result.value).inc(count)

    def runs_no_more(self, activation: ObjectKey) -> None:
        """Without a next run there is no time to compare with the clock."""
        _forget([self.next_run], ACTIVATION, activation)

    def reads_nothing_back(self, activation: ObjectKey) -> None:
        """What was found when it still did says nothing any more."""
        _forget([self.drift], ACTIVATION, activation)

    def must_not_succeed(self, activation: ObjectKey) -> None:
        """Nor is there a time by which it should have succeeded."""
        _forget([self.success_due], ACTIVATION, activation)

    def judged(self, activation: ObjectKey, reason: str, *, is_ready: bool) -> None:
        """The Ready condition; the series of another reason goes, after the new one came: a scrape may be between."""
        self.ready.labels(*activation, reason).set(is_ready)
        former = self._reasons.get(activation, reason)
        self._reasons[activation] = reason
        if former != reason:
            self.ready.remove(*activation, former)

    def activation_gone(self, activation: ObjectKey) -> None:
        self._reasons.pop(activation, None)
        _forget(self._of_activations, ACTIVATION, activation)

    def connection_gone(self, connection: ObjectKey) -> None:
        _forget(self._of_connections, CONNECTION, connection)

    # The observer of the Engage client.

    def request(self, connection: ObjectKey, operation: str, code: str, seconds: float) -> None:
        self.requests.labels(*connection, operation, code).inc()
        self.request_duration.labels(*connection, operation).observe(seconds)

    def throttled_for(self, connection: ObjectKey, seconds: float) -> None:
        self.throttled.labels(*connection).inc(seconds)

    def _activation(self, kind: Any, name: str, text: str, *labels: str, **options: Any) -> Any:
        metric = kind(name, text, (*ACTIVATION, *labels), registry=self._registry, **options)
        self._of_activations.append(metric)
        return metric

    def _connection(self, kind: Any, name: str, text: str, *labels: str, **options: Any) -> Any:
        metric = kind(name, text, (*CONNECTION, *labels), registry=self._registry, **options)
        self._of_connections.append(metric)
        return metric


def _forget(metrics: list[Any], labels: tuple[str, str], key: ObjectKey) -> None:
    for metric in metrics:
        metric.remove_by_labels(dict(zip(labels, key, strict=True)))
