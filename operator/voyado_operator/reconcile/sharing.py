"""Runs and erasures wait for each other: a run holds a share of its ledger, and gives way to an erasure that waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.reconcile import ports

LONGEST_WAIT = 300.0  # seconds; 10,000,000 members are rewritten in a fraction of it
BETWEEN_TRIES = 0.05
PATIENCE = 5.0  # seconds that an erasure waits before a run that sends gives way; most runs end sooner


@dataclass(slots=True)
class Sharing:
    """Of one run and one ledger."""

    share: ports.Share
    _wanted_since: float | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Hold the share, after waiting for an erasure to end. Raises LedgerUnavailable."""
        until = monotonic() + LONGEST_WAIT
        while not self.share.try_take():
            if monotonic() >= until:
                raise LedgerUnavailable("an erasure (`contact ID --forget`) has had the ledger for minutes; end it")
            await asyncio.sleep(BETWEEN_TRIES)
        try:
            yield
        finally:
            self.share.release()

    @property
    def latest_erasure(self) -> bytes:
        """What the latest erasure from the ledger has left, as of when the share was taken."""
        return self.share.latest_erasure

    def gives_way(self) -> bool:
        """Whether an erasure has waited for so long that the run is to end: asked between two batches."""
        if not self.share.is_wanted:
            self._wanted_since = None
            return False
        self._wanted_since = self._wanted_since if self._wanted_since is not None else monotonic()
        return monotonic() - self._wanted_since >= PATIENCE
