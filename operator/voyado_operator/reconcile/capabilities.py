"""What a first contact has shown to work on each tenant; the connection's status is where it is kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from voyado_operator.api.common import ObjectKey
from voyado_operator.api.connection import Capability as Shown
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.target import Capability, Mode

MOST_SHOWN = 64  # of the status; there are a handful of targets, routes and modes


@dataclass(slots=True)
class Capabilities:
    """Proofs of a connection's generation: another URL, route or key attribute has to be proven anew."""

    wake: Callable[[ObjectKey], None]
    _fresh: dict[tuple[ObjectKey, int], dict[Capability, datetime]] = field(default_factory=dict)

    def is_proven(self, connection: VoyadoConnection, capability: Capability) -> bool:
        return capability in self._known(connection)

    def prove(self, connection: VoyadoConnection, capability: Capability, at: datetime) -> None:
        if self.is_proven(connection, capability):
            return  # every first run proves anew, and the status tells when it was shown first
        self._fresh.setdefault(_key(connection), {})[capability] = at
        self.wake(connection.metadata.key)

    def shown(self, connection: VoyadoConnection) -> list[Shown]:
        """For the status of the connection's present generation."""
        listed = [
            Shown(target=one.target, route=one.route, mode=one.mode.value, proven_at=at)
            for one, at in self._known(connection).items()
        ]
        return sorted(listed, key=lambda one: (one.target, one.route, one.mode))[:MOST_SHOWN]

    def gone(self, connection: ObjectKey) -> None:
        for key in [key for key in self._fresh if key[0] == connection]:
            del self._fresh[key]

    def _known(self, connection: VoyadoConnection) -> dict[Capability, datetime]:
        status, known = connection.status, {}
        if status.observed_generation == connection.metadata.generation:
            for one in status.capabilities or []:
                known[Capability(one.target, one.route, Mode(one.mode))] = one.proven_at
        return known | self._fresh.get(_key(connection), {})


def _key(connection: VoyadoConnection) -> tuple[ObjectKey, int]:
    return connection.metadata.key, connection.metadata.generation


@dataclass(slots=True)
class Proofs:
    """The proofs that one run goes by.

    A ledger without a member proves anew, since nothing has shown yet that *its* attribute or consent is what its
    name promises: an attribute of text, say.
    """

    capabilities: Capabilities
    connection: VoyadoConnection
    has_members: bool
    clock: Callable[[], datetime]
    _now: set[Capability] = field(default_factory=set)

    def is_proven(self, capability: Capability) -> bool:
        return capability in self._now or (
            self.has_members and self.capabilities.is_proven(self.connection, capability)
        )

    def prove(self, capability: Capability) -> None:
        self._now.add(capability)
        self.capabilities.prove(self.connection, capability, self.clock())
