"""Which class each part of a run is."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from voyado_operator import __version__
from voyado_operator.api.activation import Audience, SegmentActivation
from voyado_operator.api.common import ObjectKey
from voyado_operator.api.connection import VoyadoConnection
from voyado_operator.domain.target import TargetIdentity
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.hosts import check_url, is_loopback
from voyado_operator.engage.pool import EngagePool
from voyado_operator.ledger import retention
from voyado_operator.ledger.batches import RememberedBatches
from voyado_operator.ledger.damage import is_damaged, set_aside
from voyado_operator.ledger.identities import Identities
from voyado_operator.ledger.layout import batches_url, identities_url, ledger_url, parked_url, waiting_url
from voyado_operator.ledger.members import Ledger
from voyado_operator.ledger.parked import Parked
from voyado_operator.ledger.waiting import WaitingPlans
from voyado_operator.reconcile import ports
from voyado_operator.settings import Settings
from voyado_operator.sources.build import build_source
from voyado_operator.sources.policy import SourcePolicy
from voyado_operator.targets.build import definition, identify, target_for, withdrawing_target
from voyado_operator.telemetry.metrics import Metrics
from voyado_operator.workspace import Ambiguous, Workspace


@dataclass(frozen=True, slots=True)
class EngageTenant:
    """A connection with its client."""

    connection: VoyadoConnection
    engage: EngageClient

    def target(self, activation: SegmentActivation, run_id: str) -> ports.Target:
        return target_for(activation, self.connection, self.engage, run_id)

    def withdrawing(self, described: dict[str, str], run_id: str) -> ports.Target:
        return withdrawing_target(described, self.connection, self.engage, run_id)


class OperatorAdapters:
    """What reconcile/adapters.py asks for, of the classes that the settings choose."""

    def __init__(self, settings: Settings, hash_key: bytes, metrics: Metrics, may_write: Callable[[], bool]) -> None:
        """`may_write`: whether this operator still owns what it would change in Engage."""
        self._settings = settings
        self._hash_key = hash_key
        self._policy = SourcePolicy(settings.source_hosts, settings.file_roots)
        self._pool = EngagePool(metrics, __version__, may_write)

    async def close(self) -> None:
        await self._pool.close()

    def connection_gone(self, connection: ObjectKey) -> None:
        self._pool.connection_gone(connection)

    def identify(self, activation: SegmentActivation, connection: VoyadoConnection) -> TargetIdentity:
        return identify(activation, connection)

    def source(self, audience: Audience, uri: str | None) -> ports.Source:
        return build_source(audience, uri, self._policy)

    def tenant(self, connection: VoyadoConnection, api_key: str) -> EngageTenant:
        spec = connection.spec
        check_url(spec.url, self._settings.engage_hosts)
        is_paced = self._settings.pace_loopback or not is_loopback(urlsplit(spec.url).hostname or "")
        rate = spec.requests_per_second if is_paced else math.inf
        client = self._pool.client(spec.url, api_key, spec.contact_type, rate, connection.metadata.key)
        return EngageTenant(connection, client)

    def described(self, identity: TargetIdentity, connection: str) -> dict[str, str]:
        return definition(identity, connection)

    def new_ledger(self, url: str, owner: str, target: dict[str, str]) -> Ledger:
        return Ledger.open(url, owner, target)

    def ledger_url(self, identity: TargetIdentity) -> str:
        parts = [identity.route, identity.on_enter]
        root, host, contact_type = self._settings.ledger_url, identity.host, identity.contact_type
        return ledger_url(root, host, contact_type, identity.kind, identity.name, parts)

    def set_damaged_aside(self, identity: TargetIdentity, at: datetime) -> list[str]:
        ledger = self.ledger_url(identity)
        recent = identities_url(self._settings.ledger_url, identity.host, identity.contact_type)
        beside = parked_url(ledger), waiting_url(ledger), batches_url(ledger)
        damaged = [url for url in (ledger, *beside, recent) if is_damaged(url)]
        for url in damaged:
            set_aside(url, at)
        return damaged

    def set_ledger_aside(self, identity: TargetIdentity, at: datetime) -> list[str]:
        url = self.ledger_url(identity)
        set_aside(url, at)
        return [url]

    def existing_ledger(self, url: str) -> Ledger | None:
        return Ledger.existing(url)

    def identities(self, identity: TargetIdentity) -> Identities:
        return Identities(identities_url(self._settings.ledger_url, identity.host, identity.contact_type))

    def unused(self) -> list[tuple[str, str]]:
        root = self._local_root()
        return [(old.url, old.owner) for old in retention.old_ledgers(root, self._kept_since())] if root else []

    def remove(self, url: str) -> None:
        retention.remove(url)

    def clear(self) -> None:
        if root := self._local_root():
            retention.vacuum(root, timedelta(days=self._settings.ledger_retention_days))
            retention.remove_damaged(root, self._kept_since())

    def _kept_since(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=self._settings.ledger_retention_days)

    def _local_root(self) -> Path | None:
        """Only a volume can be walked through."""
        parts = urlsplit(self._settings.ledger_url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    def waiting_plans(self, ledger: ports.Ledger) -> WaitingPlans:
        return WaitingPlans(waiting_url(ledger.url))

    def parked(self, ledger: ports.Ledger) -> Parked:
        return Parked(parked_url(ledger.url))

    def batches(self, ledger: ports.Ledger) -> RememberedBatches:
        return RememberedBatches(batches_url(ledger.url))

    def workspace(self, ambiguous: Ambiguous) -> Workspace:
        return Workspace(self._hash_key, self._settings.memory_per_run, ambiguous)
