"""One connection for as long as it lives: is it allowed, does its key work, what does the tenant hold."""

import hashlib
from datetime import timedelta
from math import isfinite

from durationpy import from_str

from voyado_operator.api.common import Kind
from voyado_operator.api.connection import Consent, VoyadoConnection
from voyado_operator.domain.errors import CredentialsInvalid, RunError
from voyado_operator.domain.schedule import waits
from voyado_operator.reconcile.access import api_key_of, tenant_of
from voyado_operator.reconcile.conditions import Verdict, fine, progressing, verdict_of
from voyado_operator.reconcile.keeper import StatusKeeper
from voyado_operator.reconcile.registry import Registry, Watched
from voyado_operator.reconcile.surroundings import Surroundings
from voyado_operator.telemetry.metrics import Metrics

FIRST_RETRY = 5.0  # seconds
SECRET_LOOK = 2.0  # seconds; a Secret that is missing may be applied with the next manifest
MOST_CONSENTS, LONGEST_NAME = 100, 128  # of the status, in characters; a tenant has a handful


class ConnectionLife:
    """Holds the status, as it is its only writer."""

    def __init__(
        self, watched: Watched[VoyadoConnection], around: Surroundings, registry: Registry, metrics: Metrics
    ) -> None:
        self._watched = watched
        self._around = around
        self._registry = registry
        self._metrics = metrics
        self._keeper = StatusKeeper(Kind.CONNECTION, around.cluster, watched.latest.status)
        self._retry = FIRST_RETRY
        self._probe_at = around.clock()
        self._refused: str | None = None  # the fingerprint of the key that Engage refused, or why there is none

    async def step(self) -> float | None:
        """Probe if it is time; return after how many seconds to look again, None: when woken."""
        server = self._watched.latest.status.served_by
        return await self._keeper.unless_served_elsewhere(self._watched, server, self._step)

    async def _step(self) -> float | None:
        await self._keeper.restore(self._watched)
        connection, status = self._watched.latest, self._keeper.status
        changes: dict[str, object] = {
            "activations": len(self._registry.users(connection.metadata.key)),
            "capabilities": self._registry.capabilities.shown(connection) or None,
        }
        if connection.spec.suspend:
            await self._write(connection, fine("Suspended", "suspended by spec.suspend"), changes)
            return None
        new = status.observed_generation != connection.metadata.generation
        if new:
            self._retry = FIRST_RETRY
            await self._write(connection, progressing("asking Engage"), changes)
        now = self._around.clock()
        is_suspected = connection.metadata.key in self._registry.suspected
        self._registry.suspected.discard(connection.metadata.key)
        interval = timedelta(seconds=from_str(connection.spec.probe_interval).total_seconds())
        is_due = not waits(self._probe_at, now, interval)
        if new or is_suspected or is_due or await self._has_another_key(connection):
            verdict, found = await self._probed(connection)
            wait = self._wait(connection, verdict)
            self._probe_at = self._around.clock() + timedelta(seconds=wait)
            await self._write(connection, verdict, changes | found)
        else:
            await self._write(connection, None, changes)
        wait = max(0.0, (self._probe_at - self._around.clock()).total_seconds())
        return wait if self._refused is None else min(wait, SECRET_LOOK)

    async def _has_another_key(self, connection: VoyadoConnection) -> bool:
        """Whether the Secret has changed since its key was refused: Engage is not asked before."""
        return self._refused is not None and await self._fingerprint(connection) != self._refused

    async def _fingerprint(self, connection: VoyadoConnection) -> str:
        try:
            return hashlib.sha256((await api_key_of(connection, self._around)).encode()).hexdigest()
        except CredentialsInvalid as error:
            return str(error)

    async def _probed(self, connection: VoyadoConnection) -> tuple[Verdict, dict[str, object]]:
        """The consents are the one v3 call that is proven and needs no parameter; the count is for maxOptOuts."""
        found: dict[str, object] = {"last_probe_time": self._around.clock()}
        # Taken before the key is tried: a Secret that changes while Engage answers must not look like the refused one.
        tried, self._refused = await self._fingerprint(connection), None
        try:
            engage = (await tenant_of(connection, self._around)).engage
            consents = await engage.consents()
            found["contacts"] = await engage.count()
            listed = [Consent(id=one, name=name[:LONGEST_NAME]) for one, name in consents if len(one) <= LONGEST_NAME]
            found["consents"] = listed[:MOST_CONSENTS]
            found["requests_per_second"] = engage.rate if isfinite(engage.rate) else None  # which JSON has no word for
        except CredentialsInvalid as error:
            self._refused = tried
            return verdict_of(error), found
        except RunError as error:
            return verdict_of(error), found
        return fine("Succeeded", f"Engage answers; contacts: {found['contacts']}, consents: {len(consents)}"), found

    def _wait(self, connection: VoyadoConnection, verdict: Verdict) -> float:
        """Growing waits up to probeInterval while it does not work."""
        interval = float(from_str(connection.spec.probe_interval).total_seconds())
        if verdict.ready == "True":
            self._retry = FIRST_RETRY
            return interval
        if self._refused is not None:
            return interval
        wait, self._retry = self._retry, 2 * self._retry
        return min(wait, interval)

    async def _write(self, connection: VoyadoConnection, verdict: Verdict | None, changes: dict[str, object]) -> None:
        """Write the changed status; without a verdict its conditions stay."""
        status = self._keeper.judged(connection.metadata, verdict, changes, self._around.clock())
        if verdict is not None:
            self._metrics.connection_ready.labels(*connection.metadata.key).set(verdict.ready == "True")
        await self._keeper.write(connection.metadata, status)
        if status.requests_per_second is not None:
            self._metrics.rate_limit.labels(*connection.metadata.key).set(status.requests_per_second)
