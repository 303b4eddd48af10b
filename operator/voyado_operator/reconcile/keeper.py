"""The one writer of an object's status: whole, only when it differs, with an Event when Ready changes."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from voyado_operator.api.activation_status import SegmentActivationStatus
from voyado_operator.api.common import Condition, Kind, Metadata
from voyado_operator.api.connection import VoyadoConnectionStatus
from voyado_operator.domain.errors import ServedElsewhere
from voyado_operator.reconcile.conditions import Verdict, conditions, ready_of
from voyado_operator.reconcile.ports import Cluster
from voyado_operator.reconcile.registry import Watched

logger = logging.getLogger(__name__)
LOOK_AGAIN = 60.0  # seconds
Step = Callable[[], Awaitable[float | None]]
Status = TypeVar("Status", SegmentActivationStatus, VoyadoConnectionStatus)


class StatusKeeper(Generic[Status]):
    """Knows the status as last written, so that no decision waits for the watch to bring our own write back."""

    def __init__(self, kind: Kind, cluster: Cluster, found: Status) -> None:
        self._kind = kind
        self._cluster = cluster
        self._written: Status = found
        self.status: Status = found
        self._server: str | None = None

    def judged(
        self, metadata: Metadata, verdict: Verdict | None, changes: Mapping[str, object], now: datetime
    ) -> Status:
        """The status with the changes and the verdict's conditions; without a verdict its conditions stay."""
        if verdict is not None:
            listed = conditions(verdict, self.status.conditions, metadata.generation, now)
            changes = {**changes, "conditions": listed, "observed_generation": metadata.generation}
        return self.status.model_copy(update=changes)

    async def write(self, metadata: Metadata, status: Status) -> None:
        """Make `status` the object's. What the API server did not take is written with the next call."""
        if status != self.status:  # another that is equal, and the manifest, would be 9 MiB of 5,000 objects
            self.status = status
        if status == self._written or (manifest := status.manifest()) == self._written.manifest():
            return
        await self._cluster.apply_status(self._kind, metadata, manifest)
        before, after = ready_of(self._written.conditions), ready_of(status.conditions)
        self._written = self.status
        if after is not None and _is_news(before, after):
            await self.announce(
                metadata, "Warning" if after.status == "False" else "Normal", after.reason, after.message
            )

    async def unless_served_elsewhere(self, watched: Watched[Any], server: str | None, step: Step) -> float | None:
        """Take a step, unless `server`, another installation, serves the object; then only look again later."""
        try:
            return LOOK_AGAIN if await self._stands_back(watched, server) else await step()
        except ServedElsewhere as error:  # the other was faster
            await self._stand_back(watched.latest.metadata, error.installation)
            return LOOK_AGAIN

    @property
    def is_served_elsewhere(self) -> bool:
        """Whether the latest step was left to another installation."""
        return self._server is not None

    async def claim(self, metadata: Metadata) -> None:
        """Make the object say that this installation serves it. Raises ServedElsewhere."""
        await self._cluster.apply_status(self._kind, metadata, self.status.manifest())
        self._written = self.status

    async def _stands_back(self, watched: Watched[Any], server: str | None) -> bool:
        """Whether another installation serves the object. When that one has ended, the status is what it left."""
        found = watched.latest
        if server is not None and await self._cluster.is_another_alive(server):
            if server != self._server:
                await self._cluster.hand_over(self._kind, found.metadata, server)
            await self._stand_back(found.metadata, server)
            return True
        if self._server is not None:
            self._server, self._written, self.status = None, found.status, found.status
        return False

    async def _stand_back(self, metadata: Metadata, other: str) -> None:
        if other != self._server:
            message = f"another installation serves it, by the Lease {other}; this one does nothing (docs/runbook.md)"
            await self.announce(metadata, "Warning", "ServedElsewhere", message)
        self._server = other

    async def restore(self, watched: Watched[Any]) -> None:
        """Write the status again as it is, if somebody else has emptied it."""
        if not watched.is_emptied:
            return
        watched.is_emptied = False  # it may be emptied once more meanwhile
        try:
            await self._cluster.apply_status(self._kind, watched.latest.metadata, self.status.manifest())
        except BaseException:
            watched.is_emptied = True
            raise

    async def announce(self, metadata: Metadata, severity: str, reason: str, message: str) -> None:
        """Post an Event; a lost one is only logged, as the status says the same."""
        logger.log(_level(self._kind, severity), "%s %s: %s: %s", self._kind.value, metadata.key, reason, message)
        try:
            await self._cluster.event(self._kind, metadata, severity, reason, message)
        except Exception:  # noqa: BLE001 - whatever the API server has against it
            logger.warning("%s %s: the Event %s could not be posted", self._kind.value, metadata.key, reason)


def _level(kind: Kind, severity: str) -> int:
    """An activation's good news is in the one line of the run that brought it."""
    if severity == "Warning":
        return logging.WARNING
    return logging.DEBUG if kind is Kind.ACTIVATION else logging.INFO


def _is_news(before: Condition | None, after: Condition) -> bool:
    """Events are for transitions; that a new generation is being worked on is none."""
    if after.status == "Unknown":
        return False
    return before is None or (before.status, before.reason) != (after.status, after.reason)
