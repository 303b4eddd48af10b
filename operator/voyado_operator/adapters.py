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
from voyado_operator.ledger.layout import (
    batches_url,
    identities_url,
    is_of_same_target,
    ledger_url,
    normalised_root,
    parked_url,
    relocated,
    suppression_url,
    waiting_url,
)
from voyado_operator.ledger.locks import Share, shared
from voyado_operator.ledger.members import Ledger
from voyado_operator.ledger.parked import Parked
from voyado_operator.ledger.suppression import Suppression
from voyado_operator.ledger.waiting import WaitingPlans
from voyado_operator.reconcile import ports
from voyado_operator.settings import Settings
from voyado_operator.sources.build import build_source
from voyado_operator.sources.policy import SourcePolicy
from voyado_operator.targets.build import former_target, identify, target_for
from voyado_operator.telemetry.metrics import Metrics
from voyado_operator.workspace import Ambiguous, Workspace


@dataclass(frozen=True, slots=True)
class EngageTenant:
    """A connection with its client."""

    connection: VoyadoConnection
    engage: EngageClient

    def target(self, activation: SegmentActivation, run_id: str) -> ports.Target:
        return target_for(activation, self.connection, self.engage, run_id)

    def former(self, identity: TargetIdentity, on_exit: str, run_id: str) -> ports.Target:
        return former_target(identity, on_exit, self.connection, self.engage, run_id)


class OperatorAdapters:
    """What reconcile/adapters.py asks for, of the classes that the settings choose."""

    def __init__(self, settings: Settings, hash_key: bytes, metrics: Metrics, may_write: Callable[[], bool]) -> None:
        """`may_write`: whether this operator still owns what it would change in Engage."""
        self._settings = settings
        self._root = normalised_root(settings.ledger_url)
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

    def suppression(self) -> Suppression:
        return Suppression(self._root, self._hash_key)

    def share(self, ledger: str) -> Share:
        return Share(ledger)

    def ledger_url(self, identity: TargetIdentity) -> str:
        return ledger_url(self._root, identity)

    def is_of_same_target(self, one: str, other: str) -> bool:
        return is_of_same_target(one, other)

    def new_ledger(self, identity: TargetIdentity) -> Ledger:
        self.suppression().prepare()  # before the first ledger: one without it says that it was lost
        return Ledger.open(self.ledger_url(identity), str(identity))

    def existing_ledger(self, url: str) -> Ledger | None:
        return Ledger.existing(url)

    def ledger_wherever(self, url: str) -> Ledger | None:
        return next(filter(None, map(Ledger.existing, self._places(url))), None)

    def set_damaged_aside(self, identity: TargetIdentity, former: str | None, at: datetime) -> list[str]:
        damaged = [url for url in _tables(self.ledger_url(identity)) if is_damaged(url)]  # which the run holds already
        others = [identities_url(self._root, identity.host, identity.contact_type), suppression_url(self._root)]
        damaged += filter(_is_damaged_at_rest, others)
        moved = _set_aside(damaged, at)
        return moved + (self.set_damaged_ledger_aside(former, at) if former is not None else [])

    def set_damaged_ledger_aside(self, url: str, at: datetime) -> list[str]:
        tables = [table for ledger in self._places(url) for table in _tables(ledger)]
        return _set_aside([*filter(_is_damaged_at_rest, tables)], at)

    def _places(self, ledger: str) -> list[str]:
        """Where a ledger may lie that lay at that URL: below the present root, or else still there."""
        return list(dict.fromkeys([relocated(ledger, self._root), ledger]))

    def identities(self, identity: TargetIdentity) -> Identities:
        return Identities(identities_url(self._root, identity.host, identity.contact_type))

    def unused(self) -> list[retention.Old]:
        root = self._local_root()
        return list(retention.old_ledgers(root, self._kept_since())) if root else []

    def remove(self, ledger: retention.Old) -> bool:
        return retention.remove(ledger, self.suppression())

    def clear(self) -> None:
        if root := self._local_root():
            retention.vacuum(root, timedelta(days=self._settings.ledger_retention_days))
            retention.remove_damaged(root, self._kept_since())

    def _kept_since(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=self._settings.ledger_retention_days)

    def _local_root(self) -> Path | None:
        """Only a volume can be walked through."""
        parts = urlsplit(self._root)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    def waiting_plans(self, ledger: ports.Ledger) -> WaitingPlans:
        return WaitingPlans(waiting_url(ledger.url))

    def parked(self, ledger: ports.Ledger) -> Parked:
        return Parked(parked_url(ledger.url))

    def batches(self, ledger: ports.Ledger) -> RememberedBatches:
        return RememberedBatches(batches_url(ledger.url))

    def workspace(self, ambiguous: Ambiguous) -> Workspace:
        return Workspace(self._hash_key, self._settings.memory_per_run, ambiguous)


def _is_damaged_at_rest(url: str) -> bool:
    """Judge a table beside which nothing is being erased, which would look like damage."""
    with shared(url):
        return is_damaged(url)


def _set_aside(urls: list[str], at: datetime) -> list[str]:
    """Move the tables away; return their URLs. Raises LedgerUnavailable."""
    for url in urls:
        set_aside(url, at)
    return urls


def _tables(ledger: str) -> list[str]:
    """The ledger's, and those beside it."""
    return [ledger, parked_url(ledger), waiting_url(ledger), batches_url(ledger)]
