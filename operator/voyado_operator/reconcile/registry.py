"""What the watch has shown of both kinds, in memory: who drives which target, who uses which connection, who must wake.

A picture for waking and for conflicts only; it is rebuilt by the first listing after a restart.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from voyado_operator.api.activation import SegmentActivation
from voyado_operator.api.activation_status import LedgerRef
from voyado_operator.api.common import APPROVE, PLAN_REQUESTED_AT, REQUESTED_AT, ObjectKey
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.target import TargetIdentity
from voyado_operator.reconcile.capabilities import Capabilities
from voyado_operator.reconcile.conditions import ready_of
from voyado_operator.reconcile.drivers import Drivers
from voyado_operator.reconcile.own_writes import OwnWrites
from voyado_operator.reconcile.trials import Trials

Identify = Callable[[SegmentActivation, VoyadoConnection], TargetIdentity]


Kind = TypeVar("Kind", SegmentActivation, VoyadoConnection)


@dataclass(slots=True)
class Watched(Generic[Kind]):
    """The latest version of an object, and the event that wakes its daemon.

    `is_freed`: the target that an activation waited for was released; it runs. `is_emptied`: the latest version has
    lost the Ready condition that one before it had. No write of ours does that, so somebody else did, and it is still
    to be written again.
    """

    latest: Kind
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    is_freed: bool = False
    is_emptied: bool = False
    _was_ready: bool = False

    def __post_init__(self) -> None:
        self._was_ready = _shows_ready(self.latest)

    def take_in(self, seen: Kind) -> Kind:
        """Make `seen` the latest version; return the one before it."""
        before, self.latest = self.latest, seen
        is_new = seen.metadata.resource_version != before.metadata.resource_version
        if _shows_ready(seen):
            self._was_ready = True
        elif _shows_ready(before) or (is_new and self._was_ready):
            self.is_emptied = True
            self.wake.set()
        return before


class Registry:
    """All activations and connections, by key."""

    def __init__(self, identify: Identify) -> None:
        self._identify = identify
        self.activations: dict[ObjectKey, Watched[SegmentActivation]] = {}
        self.connections: dict[ObjectKey, Watched[VoyadoConnection]] = {}
        self._users: defaultdict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self._drivers = Drivers()
        self.suspected: set[ObjectKey] = set()
        self.last_words: dict[str, LedgerRef] = {}
        """What was last known of the ledgers that were let go by their owners, or whose owners are gone, by URL."""
        self.capabilities = Capabilities(wake=self._wake_connection)
        self.trials = Trials()
        self.own_writes = OwnWrites()

    def activation_seen(self, activation: SegmentActivation) -> None:
        """Take in a version; wake its daemon if somebody asked for something, and whom the change concerns."""
        key = activation.metadata.key
        known = self.activations.get(key)
        if known is None or known.latest.metadata.uid != activation.metadata.uid:
            if known is not None:
                self._strike(known.latest)
            self.activations[key] = Watched(activation)
            self._enlist(activation)
            self._wake_connection(_connection_key(activation))
            return
        before = known.take_in(activation)
        if _asked(before) != _asked(activation):
            known.wake.set()
        if _claim(before) != _claim(activation):
            for rival in self._drivers.rivals(key):
                self.activations[rival].wake.set()
        if before.spec.connection_ref != activation.spec.connection_ref or before.spec.target != activation.spec.target:
            self._wake_connection(_connection_key(before), _connection_key(activation))
            self._strike(before)
            self._enlist(activation)

    def activation_gone(self, activation: SegmentActivation) -> None:
        known = self.activations.get(activation.metadata.key)
        if known is not None and known.latest.metadata.uid == activation.metadata.uid:
            del self.activations[activation.metadata.key]
            self._wake_connection(_connection_key(known.latest))
            for rival in self._drivers.rivals(activation.metadata.key):
                self.activations[rival].is_freed = True
            self._strike(known.latest)
            if ledger := known.latest.status.claimed:
                self.last_words[ledger.url] = ledger

    def connection_seen(self, connection: VoyadoConnection) -> None:
        """Take in a version; wake its daemon on a new generation, its activations when what they go by changed."""
        key = connection.metadata.key
        known = self.connections.get(key)
        if known is None or known.latest.metadata.uid != connection.metadata.uid:
            self.connections[key] = Watched(connection)
            self._identify_users(key)
            self._wake_users(key)
            return
        before = known.take_in(connection)
        if before.spec != connection.spec:
            self._identify_users(key)
        if before.metadata.generation != connection.metadata.generation:
            known.wake.set()
        if _usable(before) != _usable(connection):
            self._wake_users(key)

    def connection_gone(self, connection: VoyadoConnection) -> None:
        known = self.connections.get(connection.metadata.key)
        if known is not None and known.latest.metadata.uid == connection.metadata.uid:
            del self.connections[connection.metadata.key]
            self.capabilities.gone(connection.metadata.key)
            self._identify_users(connection.metadata.key)
            self._wake_users(connection.metadata.key)

    def wake_all(self) -> None:
        for connection in self.connections.values():
            connection.wake.set()
        for activation in self.activations.values():
            activation.wake.set()

    def suspect(self, connection: ObjectKey) -> None:
        """A run found that the connection's key does not work any more: have it probed."""
        self.suspected.add(connection)
        self._wake_connection(connection)

    def connection_of(self, activation: SegmentActivation) -> VoyadoConnection | None:
        known = self.connections.get(_connection_key(activation))
        return known.latest if known else None

    def connections_to(self, host: str, namespace: str) -> list[VoyadoConnection]:
        """The connections of a namespace to the tenant of this host."""
        found = (watched.latest for watched in self.connections.values())
        return [one for one in found if one.metadata.namespace == namespace and one.spec.host == host]

    def users(self, connection: ObjectKey) -> list[SegmentActivation]:
        return [self.activations[key].latest for key in self._users.get(connection, ())]

    def rivals(self, activation: SegmentActivation) -> list[SegmentActivation]:
        """The other activations of the same target, the oldest first."""
        return sorted((self.activations[key].latest for key in self._drivers.rivals(activation.metadata.key)), key=age)

    def target_of(self, key: ObjectKey) -> TargetIdentity | None:
        """What the activation drives by its spec; None: unknown, as it is not watched or has no connection."""
        return self._drivers.target_of(key)

    def freed(self, target: TargetIdentity, ledger: LedgerRef, by: ObjectKey) -> None:
        """An activation has released its former target: wake those that wait for it."""
        self.last_words[ledger.url] = ledger
        for key in self._drivers.of(target):
            if key != by:
                self.activations[key].is_freed = True
                self.activations[key].wake.set()

    def _enlist(self, activation: SegmentActivation) -> None:
        """As a user of its connection, and as who drives its target."""
        self._users[_connection_key(activation)].add(activation.metadata.key)
        self._put_driver(activation)

    def _strike(self, activation: SegmentActivation) -> None:
        """Undo that, and wake whoever drives the same target."""
        key, connection = activation.metadata.key, _connection_key(activation)
        for rival in self._drivers.rivals(key):
            self.activations[rival].wake.set()
        self._drivers.put(key, None)
        self._users[connection].discard(key)
        if not self._users[connection]:
            del self._users[connection]

    def _put_driver(self, activation: SegmentActivation) -> None:
        connection = self.connection_of(activation)
        self._drivers.put(activation.metadata.key, self._identify(activation, connection) if connection else None)

    def _identify_users(self, connection: ObjectKey) -> None:
        """What a label's target is depends on the connection."""
        for activation in self.users(connection):
            self._put_driver(activation)

    def _wake_users(self, connection: ObjectKey) -> None:
        for key in self._users.get(connection, ()):
            self.activations[key].wake.set()

    def _wake_connection(self, *keys: ObjectKey) -> None:
        for key in keys:
            if watched := self.connections.get(key):
                watched.wake.set()


def is_ready(connection: VoyadoConnection) -> bool:
    """Whether the connection's present generation was found to work."""
    ready = ready_of(connection.status.conditions)
    current = connection.status.observed_generation == connection.metadata.generation
    return current and ready is not None and ready.status == "True" and not connection.spec.suspend


def is_being_probed(connection: VoyadoConnection) -> bool:
    """Whether it is about to be known if the connection's present generation works."""
    ready = ready_of(connection.status.conditions)
    current = connection.status.observed_generation == connection.metadata.generation
    return not connection.spec.suspend and (not current or ready is None or ready.status == "Unknown")


def _shows_ready(seen: SegmentActivation | VoyadoConnection) -> bool:
    return ready_of(seen.status.conditions) is not None


def _connection_key(activation: SegmentActivation) -> ObjectKey:
    return ObjectKey(activation.metadata.namespace, activation.spec.connection_ref.name)


def _asked(activation: SegmentActivation) -> tuple[object, ...]:
    meta = activation.metadata
    return meta.generation, *(meta.annotations.get(name) for name in (REQUESTED_AT, PLAN_REQUESTED_AT, APPROVE))


def _claim(activation: SegmentActivation) -> str | None:
    """Where the ledger lies that it has claimed."""
    ledger = activation.status.claimed
    return ledger.url if ledger else None


def _usable(connection: VoyadoConnection) -> tuple[object, ...]:
    """What the activations of a connection go by, or show."""
    works, ready = is_ready(connection), ready_of(connection.status.conditions)
    why_not = None if works or ready is None else ready.message
    return works, is_being_probed(connection), why_not, connection.spec


def age(activation: SegmentActivation) -> tuple[object, ...]:
    """What activations are ordered by: the oldest first, then by name."""
    return activation.metadata.creation_timestamp, activation.metadata.key
