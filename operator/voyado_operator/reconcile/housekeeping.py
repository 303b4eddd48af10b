"""Once a day: ledgers that nobody owns go when their time is over."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from voyado_operator.api.common import Kind, ObjectKey
from voyado_operator.domain.errors import LedgerUnavailable
from voyado_operator.reconcile.surroundings import Surroundings

logger = logging.getLogger(__name__)
BETWEEN = timedelta(days=1)
AFTER_THE_START = timedelta(minutes=30)  # which has work enough: 1,000 ledgers take 7 s of CPU


class Unused(Protocol):
    """A ledger that was not written to during the retention."""

    @property
    def url(self) -> str: ...

    @property
    def owners(self) -> tuple[str, ...]: ...


class Storage(Protocol):
    """What lies under the ledger's root. Blocking."""

    def unused(self) -> Sequence[Unused]: ...

    def remove(self, ledger: Any) -> bool:
        """Remove one of `unused`; False: it stays, as it is in use again. Raises LedgerUnavailable."""
        ...

    def clear(self) -> None:
        """Remove replaced versions, and tables set aside as damaged, of the time before the retention began."""
        ...


async def keep_house(around: Surroundings, storage: Storage) -> None:
    """For as long as the operator lives."""
    await asyncio.sleep(AFTER_THE_START.total_seconds())
    while True:
        try:
            await tidy_up(around, storage)
        except Exception:
            logger.exception("housekeeping failed; it is tried again tomorrow")
        await asyncio.sleep(BETWEEN.total_seconds())


async def tidy_up(around: Surroundings, storage: Storage) -> None:
    """Remove what is over. A ledger of another cluster is not ours to judge."""
    for ledger in await asyncio.to_thread(storage.unused):
        if all([await _is_gone(around, owner) for owner in ledger.owners]):
            await _remove(storage, ledger)
    await asyncio.to_thread(storage.clear)


async def _remove(storage: Storage, ledger: Unused) -> None:
    """A ledger that cannot be removed today keeps no other from it."""
    try:
        if await asyncio.to_thread(storage.remove, ledger):
            owners = ", ".join(ledger.owners) or "nobody"
            logger.info("the ledger %s was removed: its activations are gone (it was of %s)", ledger.url, owners)
    except LedgerUnavailable as error:
        logger.warning("%s; its removal is tried again tomorrow", error)


async def _is_gone(around: Surroundings, owner: str) -> bool:
    """Not where we may not look: the ledger may be one of a namespace that another operator serves."""
    cluster, namespace, name = owner.split("/")
    if cluster != around.cluster_uid:
        return False
    activation = ObjectKey(namespace, name)
    try:
        return not await around.cluster.exists(Kind.ACTIVATION, activation)
    except Exception as error:  # noqa: BLE001 - whatever the API server has against it, the other ledgers' turn comes
        logger.warning("whether %s is gone cannot be seen: %s", activation, type(error).__name__)
        return False
