"""One operator at a time per ledger: a Lease that is waited for, kept, and given back (DESIGN 6)."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import ClientError
from kubernetes.aio.client import ApiException

from voyado_operator.kube.elapsed import elapsed
from voyado_operator.kube.holder import has_ended, this_process

logger = logging.getLogger(__name__)
DURATION = 60.0  # seconds that a successor waits after the last renewal it has seen
SENDING = 20.0  # seconds after a renewal in which something may be sent
RENEWAL = 5.0
SKEW = timedelta(seconds=60)  # between the clocks of two nodes, at most
CALL_SECONDS = 8.0  # two tries fit into SENDING
PASSING = (ApiException, ClientError, OSError, TimeoutError)


class Lease:
    """`api` is a CoordinationV1Api. `lost` is called once when somebody else has taken the Lease."""

    def __init__(self, api: Any, namespace: str, name: str, lost: Callable[[], None]) -> None:
        self._api = api
        self._namespace, self._name = namespace, name
        self._me = this_process()
        self._lost = lost
        self._renewed = float("-inf")
        self._held: Any = None
        self._seen: tuple[datetime | None, float] = None, 0.0
        self._keeping: asyncio.Task[None] | None = None

    @property
    def may_send(self) -> bool:
        """Whether nobody else can hold the Lease yet, however long this process or its machine was suspended."""
        return elapsed() - self._renewed <= SENDING

    async def acquire(self) -> None:
        """Wait until it is ours, and keep it from then on."""
        while True:
            try:
                if await self._taken():
                    break
            except PASSING as error:
                logger.warning("the Lease %s could not be read: %s", self._name, type(error).__name__)
            await asyncio.sleep(1.0)
        self._keeping = asyncio.create_task(self._keep(), name="lease")

    async def release(self) -> None:
        """Let a successor begin at once. Nothing may be sent after this."""
        self._renewed = float("-inf")
        if self._keeping is None:
            return
        self._keeping.cancel()
        try:
            present = await self._read()
            if present is not None and present.spec.holder_identity == self._me:
                await self._write(present, holderIdentity=None)
        except PASSING as error:
            logger.warning("the Lease %s could not be given back: %s", self._name, type(error).__name__)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            try:
                if await self._renewed_now():
                    continue
            except PASSING as error:
                logger.warning("the Lease %s could not be renewed: %s", self._name, type(error).__name__)
                continue
            self._renewed = float("-inf")
            logger.error("another operator has taken the Lease %s/%s: this one ends", self._namespace, self._name)
            self._lost()
            return

    async def _taken(self) -> bool:
        """Whether it is ours now."""
        present = await self._read()
        return (present is None or self._is_free(present)) and await self._written_by_me(present, acquireTime=_now())

    async def _renewed_now(self) -> bool:
        """False: somebody else has it."""
        if await self._written_by_me(self._held):  # as it was written last, which saves a call
            return True
        present = await self._read()
        return (present is None or present.spec.holder_identity == self._me) and await self._written_by_me(present)

    async def _written_by_me(self, present: Any, **changes: Any) -> bool:
        """False: somebody else was faster."""
        asked = elapsed()
        try:
            self._held = await self._write(present, holderIdentity=self._me, **changes)
        except ApiException as error:
            if error.status in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                return False
            raise
        self._renewed = asked
        return True

    def _is_free(self, present: Any) -> bool:
        holder, renewed = present.spec.holder_identity, present.spec.renew_time
        if not holder or holder == self._me or has_ended(holder) or renewed is None:
            return True
        if self._seen[0] != renewed:
            self._seen = renewed, elapsed()
            logger.info("waiting for the Lease %s/%s, which %s holds", self._namespace, self._name, holder)
        return _is_old(renewed) or elapsed() - self._seen[1] > DURATION

    async def _read(self) -> Any:
        try:
            return await self._api.read_namespaced_lease(self._name, self._namespace, _request_timeout=CALL_SECONDS)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _write(self, present: Any, **changes: Any) -> Any:
        """Refused with a conflict if somebody wrote since `present` was read; the Lease as it is then."""
        spec = {"leaseDurationSeconds": int(DURATION), "renewTime": _now(), **changes}
        body = {"metadata": {"name": self._name}, "spec": spec}
        if present is None:
            return await self._api.create_namespaced_lease(self._namespace, body, _request_timeout=CALL_SECONDS)
        body["metadata"]["resourceVersion"] = present.metadata.resource_version
        return await self._api.replace_namespaced_lease(
            self._name, self._namespace, body, _request_timeout=CALL_SECONDS
        )


def is_held(lease: Any) -> bool:
    """Whether somebody has the Lease, as far as its moments tell."""
    renewed = lease.spec.renew_time
    return bool(lease.spec.holder_identity) and renewed is not None and not _is_old(renewed)


def _is_old(renewed: datetime) -> bool:
    return datetime.now(UTC) - renewed > SKEW + timedelta(seconds=DURATION)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
