"""The composition root: which classes the parts of a run are, and what lives as long as the operator."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, start_http_server

from voyado_operator.adapters import OperatorAdapters
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import Kind, ObjectKey
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.schedule import OVERDUE
from voyado_operator.kube import hash_key
from voyado_operator.kube.cluster import Cluster
from voyado_operator.kube.echoes import Echoes
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.connection import ConnectionLife
from voyado_operator.reconcile.deletion import Deletions
from voyado_operator.reconcile.housekeeping import keep_house
from voyado_operator.reconcile.life import Step, Stopping, live
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.slots import Slots
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.settings import Settings
from voyado_operator.telemetry.event_loop import watch
from voyado_operator.telemetry.metrics import Metrics

LISTED_WITHIN = 60.0  # seconds; some may have been deleted since they were counted


def lease_name(settings: Settings) -> str:
    """Operators that share a ledger exclude each other; those of other namespaces, or other ledgers, do not."""
    shared = json.dumps([settings.ledger_url.rstrip("/"), sorted(settings.namespaces)])
    return f"voyado-operator-{hashlib.sha256(shared.encode()).hexdigest()[:10]}"


def now() -> datetime:
    return datetime.now(UTC)


class App:
    """Everything between Kopf's start and its end."""

    def __init__(self, settings: Settings, end: Callable[[], None]) -> None:
        """`end` is called when another operator has taken over."""
        self.settings = settings
        self._end = end
        self._exposed = CollectorRegistry()
        self._metrics = Metrics(self._exposed)
        self._echoes = Echoes()
        self._metrics.watch_delay.set_function(self._echoes.delay)
        self._is_leading = False
        self._housekeeping: asyncio.Task[None] | None = None
        self._lives: dict[ObjectKey, ActivationLife] = {}

    async def start(self) -> None:
        """Log in, fetch the hash key, serve metrics. Kopf calls no other handler before this has returned."""
        self._cluster = await Cluster.connect(self.settings.kubeconfig, self._echoes)
        self._lease = self._cluster.lease(self.settings.namespace, lease_name(self.settings), self._end)
        key = await hash_key.existing_or_created(self._cluster, self.settings.namespace)
        self._adapters = OperatorAdapters(self.settings, key, self._metrics, lambda: self._lease.may_send)
        self._around = Surroundings(
            adapters=self._adapters,
            cluster=self._cluster,
            slots=Slots(self.settings.max_concurrent_runs),
            cluster_uid=await self._cluster.uid(),
            clock=now,
        )
        self._registry = Registry(self._adapters.identify)
        watched = self.settings.namespaces or (None,)
        self._at_start = sum([await self._cluster.count(Kind.ACTIVATION, namespace) for namespace in watched])
        self._are_known = asyncio.Event()
        if not self._at_start:
            self._are_known.set()
        self._deletions = Deletions(self._around, self._registry)
        self._metrics.overdue.set_function(self.overdue)
        self._metrics.served_elsewhere.set_function(self._served_elsewhere)
        self._watching = asyncio.create_task(watch(self._metrics.loop_delay.observe), name="watch the event loop")
        self._acquiring = asyncio.create_task(self._acquire(), name="acquire the Lease")
        self._metrics_server, _ = start_http_server(self.settings.metrics_port, registry=self._exposed)

    @property
    def api_server(self) -> str:
        """Its URL."""
        return self._cluster.url

    async def _acquire(self) -> None:
        """Until the Lease is ours, and everybody is known, the operator watches, and does nothing.

        Whoever is older must be known before a younger one of the same target runs. Kopf's indices wait for that too,
        but there each object wakes all others that wait: 2,000 took 31 s to start, and take 14 s.
        """
        await self._lease.acquire()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._are_known.wait(), LISTED_WITHIN)
        self._is_leading = True
        self._housekeeping = asyncio.create_task(keep_house(self._around, self._adapters), name="housekeeping")
        self._registry.wake_all()
        for activation in list(self._registry.activations.values()):
            self.activation_seen(activation.latest)

    def _once_leading(self, step: Step) -> Step:
        async def stepped() -> float | None:
            return await step() if self._is_leading else None

        return stepped

    async def stop(self) -> None:
        for task in (self._acquiring, self._housekeeping, self._watching):
            if task is not None:
                task.cancel()
        self._metrics_server.shutdown()
        self._metrics_server.server_close()
        await self._deletions.stop()
        await self._adapters.close()
        await self._lease.release()
        await self._cluster.close()

    def activation_seen(self, activation: SegmentActivation) -> None:
        """Whoever is being deleted is withdrawn only when its daemon has ended: one writer at a time."""
        self._echoes.shown(activation.metadata.uid, activation.metadata.resource_version)
        self._registry.activation_seen(activation)
        if len(self._registry.activations) >= self._at_start:
            self._are_known.set()
        is_deleted = activation.metadata.deletion_timestamp is not None
        if self._is_leading and is_deleted and activation.metadata.key not in self._lives:
            self._deletions.seen(activation)

    def activation_gone(self, activation: SegmentActivation) -> None:
        self._echoes.gone(activation.metadata.uid)
        self._registry.activation_gone(activation)
        self._deletions.gone(activation)
        self._metrics.activation_gone(activation.metadata.key)

    def connection_seen(self, connection: VoyadoConnection) -> None:
        self._echoes.shown(connection.metadata.uid, connection.metadata.resource_version)
        self._registry.connection_seen(connection)

    def connection_gone(self, connection: VoyadoConnection) -> None:
        self._echoes.gone(connection.metadata.uid)
        self._registry.connection_gone(connection)
        self._adapters.connection_gone(connection.metadata.key)
        self._metrics.connection_gone(connection.metadata.key)

    async def live_activation(self, activation: SegmentActivation, stopping: Stopping) -> None:
        """Until the object goes or the operator stops."""
        key = activation.metadata.key
        self._registry.activation_seen(activation)
        watched = self._registry.activations[key]
        life = self._lives[key] = ActivationLife(
            watched, self._around, self._registry, self._metrics, is_stopping=lambda: bool(stopping)
        )
        try:
            await live(f"SegmentActivation {key}", self._once_leading(life.step), watched.wake, stopping)
        finally:
            if self._lives.get(key) is life:
                del self._lives[key]
            if self._is_leading and watched.latest.metadata.deletion_timestamp is not None:
                # With the status as it was written last, which the watch may not have shown yet.
                self._deletions.seen(watched.latest.model_copy(update={"status": life.status}))

    async def live_connection(self, connection: VoyadoConnection, stopping: Stopping) -> None:
        """Until the object goes or the operator stops."""
        key = connection.metadata.key
        self._registry.connection_seen(connection)
        watched = self._registry.connections[key]
        life = ConnectionLife(watched, self._around, self._registry, self._metrics)
        await live(f"VoyadoConnection {key}", self._once_leading(life.step), watched.wake, stopping)

    def _served_elsewhere(self) -> int:
        return sum(1 for life in self._lives.values() if life.is_served_elsewhere)

    def overdue(self) -> int:
        """Activations that should have run long ago, and do not."""
        due_before = now() - OVERDUE
        return sum(1 for life in self._lives.values() if life.is_overdue(due_before))
