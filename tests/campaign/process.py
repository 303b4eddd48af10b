"""One operator of the campaign: all that a process of the real one has, but Kopf, the Lease and the API server."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry
from voyado_operator.adapters import OperatorAdapters
from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.common import Kind, Metadata, ObjectKey
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.errors import CredentialsInvalid, ServedElsewhere
from voyado_operator.engage.pool import EngagePool
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.connection import ConnectionLife
from voyado_operator.reconcile.deletion import Deletions
from voyado_operator.reconcile.delivery import Interrupted
from voyado_operator.reconcile.registry import Registry
from voyado_operator.reconcile.slots import Slots
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.settings import Settings
from voyado_operator.telemetry.metrics import Metrics

from tests.campaign.log import Began, Ended, Log
from tests.campaign.objects import Key, Objects
from tests.component.installation import HURRY

AFTER_A_SURPRISE = timedelta(seconds=10)
ACTING: ContextVar[str] = ContextVar("ACTING", default="an operator")
"""For which activation the present task works, and in which process: marks each request to Engage."""


class Server:
    """The API server as one process sees it; one that was killed gets no answer any more."""

    def __init__(self, objects: Objects, process: "Process") -> None:
        self._objects, self._process = objects, process

    async def _alive(self) -> None:
        if self._process.is_dead:
            await asyncio.Event().wait()

    async def secret(self, field: str, namespace: str, name: str, key: str) -> str:
        await self._alive()
        if (found := self._objects.secrets.get(name)) is None:
            raise CredentialsInvalid(f"{field}: there is no Secret {name}")
        return found

    async def add_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None:
        await self._alive()
        self._objects.finalize((kind.value, *metadata.key), finalizer, is_held=True)

    async def remove_finalizer(self, kind: Kind, metadata: Metadata, finalizer: str) -> None:
        await self._alive()
        self._objects.finalize((kind.value, *metadata.key), finalizer, is_held=False)

    async def apply_status(self, kind: Kind, metadata: Metadata, status: dict[str, Any]) -> None:
        await self._alive()
        self._process.status_written()
        await self._alive()
        found = self._objects.held.get((kind.value, *metadata.key))
        if found is None or found["metadata"]["uid"] != metadata.uid:
            return
        server = found["status"].get("servedBy")
        if server and await self.is_another_alive(server):
            raise ServedElsewhere(server)
        self._objects.set_status((kind.value, *metadata.key), status | {"servedBy": self._process.name})

    async def hand_over(self, kind: Kind, metadata: Metadata, installation: str) -> None:
        await self._alive()
        found = self._objects.held.get((kind.value, *metadata.key))
        if found is not None and found["status"].get("servedBy") == self._process.name:
            self._objects.set_status((kind.value, *metadata.key), found["status"] | {"servedBy": installation})

    async def is_another_alive(self, installation: str) -> bool:
        await self._alive()
        return installation != self._process.name and self._objects.is_alive[installation]()

    async def exists(self, kind: Kind, key: ObjectKey) -> bool:
        await self._alive()
        return (kind.value, *key) in self._objects.held

    async def event(self, *_: object) -> None:
        await self._alive()


HASH_KEY = b"key"


class Daemon:
    """The life of one object: when it is to be stepped again."""

    def __init__(self, life: ActivationLife | ConnectionLife, wake: asyncio.Event) -> None:
        self.life, self.wake = life, wake
        self.due: datetime | None = None
        self.has_begun = False

    def is_due(self, now: datetime) -> bool:
        return not self.has_begun or self.wake.is_set() or (self.due is not None and self.due <= now)


class Process:
    """It is started, told what happens, and steps whatever is due; it can be killed and started again."""

    def __init__(
        self,
        name: str,
        objects: Objects,
        log: Log,
        clock: Callable[[], datetime],
        root: Path,
        warehouse: Path,
        status_written: Callable[[], None],
    ) -> None:
        self.name, self.root, self.is_dead = name, root, True
        self.status_written, self._warehouse = status_written, warehouse
        self.skew = timedelta()
        self._objects, self._log, self._true_clock = objects, log, clock
        self.url = f"file://{root}"
        objects.is_alive[name] = lambda: not self.is_dead

    def clock(self) -> datetime:
        return self._true_clock() + self.skew

    def start(self) -> None:
        """A new process: everything in memory is what the API server and the ledger say."""
        self.is_dead = False
        settings = Settings(
            ledger_url=self.url, engage_hosts=("127.0.0.1",), file_roots=(str(self._warehouse),), pace_loopback=False
        )
        self._metrics = Metrics(CollectorRegistry())
        self._adapters = OperatorAdapters(settings, HASH_KEY, self._metrics, lambda: not self.is_dead)
        self._adapters._pool = EngagePool(self._metrics, "0", lambda: not self.is_dead, HURRY)
        server = cast(Any, Server(self._objects, self))
        self._around = Surroundings(self._adapters, server, Slots(2), "cluster", self.clock)
        self._registry = Registry(self._adapters.identify)
        self._deletions = Deletions(self._around, self._registry)
        self._daemons: dict[Key, Daemon] = {}
        self._seen: dict[Key, Any] = {}
        self._news = len(self._objects.news)
        for key in sorted(self._objects.held, key=lambda one: one[0], reverse=True):  # connections first
            self._show(key, self._objects.held[key])

    def watch(self) -> None:
        """Take in what has happened to the objects."""
        while self._news < len(self._objects.news):
            key, manifest = self._objects.news[self._news]
            self._news += 1
            self._show(key, manifest)

    def _show(self, key: Key, manifest: dict[str, Any] | None) -> None:
        if manifest is None:
            self._gone(key)
        elif key[0] == Kind.CONNECTION.value:
            connection = VoyadoConnection.model_validate(manifest)
            self._replaced(key, connection)
            self._registry.connection_seen(connection)
            watched = self._registry.connections[connection.metadata.key]
            if key not in self._daemons:
                life = ConnectionLife(watched, self._around, self._registry, self._metrics)
                self._daemons[key] = Daemon(life, watched.wake)
        else:
            self._show_activation(key, SegmentActivation.model_validate(manifest))

    def _show_activation(self, key: Key, activation: SegmentActivation) -> None:
        self._replaced(key, activation)
        self._registry.activation_seen(activation)
        watched = self._registry.activations[activation.metadata.key]
        if activation.metadata.deletion_timestamp is not None:
            daemon, token = self._daemons.pop(key, None), ACTING.set(self._acting(key))
            if daemon is not None and isinstance(daemon.life, ActivationLife):
                activation = watched.latest.model_copy(update={"status": daemon.life.status})
            self._deletions.seen(activation)
            ACTING.reset(token)
        elif key not in self._daemons:
            life = ActivationLife(watched, self._around, self._registry, self._metrics, lambda: self.is_dead)
            self._daemons[key] = Daemon(life, watched.wake)

    def _replaced(self, key: Key, found: Any) -> None:
        known, self._seen[key] = self._seen.get(key), found
        if known is not None and known.metadata.uid != found.metadata.uid:
            self._daemons.pop(key, None)

    def _gone(self, key: Key) -> None:
        self._daemons.pop(key, None)
        if (known := self._seen.pop(key, None)) is None:
            return
        if key[0] == Kind.CONNECTION.value:
            self._registry.connection_gone(known)
            self._adapters.connection_gone(known.metadata.key)
        else:
            self._registry.activation_gone(known)
            self._deletions.gone(known)

    def has_seen_all(self) -> bool:
        return self._news == len(self._objects.news)

    def due(self, kind: Kind) -> list[Key]:
        """What is to be stepped now."""
        now = self._true_clock()  # a sleep goes by no wall clock
        return sorted(key for key, one in self._daemons.items() if key[0] == kind.value and one.is_due(now))

    async def step(self, key: Key) -> None:
        """One step of an object's daemon, as the real loop takes it: nothing that goes wrong ends it."""
        daemon = self._daemons.get(key)
        if daemon is None:
            return
        daemon.has_begun = True
        daemon.wake.clear()
        if isinstance(daemon.life, ConnectionLife):
            await self._stepped(daemon)
            return
        name, former = f"{key[1]}/{key[2]}", daemon.life.status.last_run
        token = ACTING.set(self._acting(key))
        self._log.note(Began(self._true_clock(), name, self.name))
        try:
            await self._stepped(daemon)
        finally:
            ACTING.reset(token)
            has_run = daemon.life.status.last_run != former
            self._log.note(self._ended(name, daemon.life if has_run else None))

    def _acting(self, key: Key) -> str:
        return f"{key[1]}/{key[2]}@{self.name}"

    async def _stepped(self, daemon: Daemon) -> None:
        try:
            seconds = await daemon.life.step()
        except Interrupted:
            return
        except Exception:  # noqa: BLE001 - as the operator's own loop does
            daemon.due = self._true_clock() + AFTER_A_SURPRISE
            return
        daemon.due = None if seconds is None else self._true_clock() + timedelta(seconds=seconds)

    def _ended(self, name: str, life: ActivationLife | None) -> Ended:
        """What it shows after a run; nothing where there was none."""
        status = life.status.manifest() if life else {}
        ready: dict[str, str] = next((one for one in status.get("conditions", []) if one["type"] == "Ready"), {})
        return Ended(
            self._true_clock(),
            name,
            self.name,
            self.is_dead,
            ready.get("status", ""),
            ready.get("reason", ""),
            ready.get("message", ""),
            status.get("members"),
            status.get("lastRun", {}).get("outcome"),
        )

    async def close(self) -> None:
        """End what is left of the process, as the system does."""
        self.is_dead = True
        await self._deletions.stop()
        await self._adapters.close()

    def withdraws(self) -> bool:
        """Whether a deletion is being worked on."""
        return bool(self._deletions._tasks)
