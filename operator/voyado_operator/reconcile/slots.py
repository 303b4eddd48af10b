"""How many runs are under way, and how many of them hold an audience in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from voyado_operator.api.common import ObjectKey

MOST_UNDER_WAY = 16  # of one connection: a thread each; more would only share the same rate


class Slots:
    """Of one connection half the workspaces that there may be: its tenant may hang, which others must not feel.

    A healthy one takes 1.1 to 1.3 times as long beside one that hangs with addresses to look up; 1.9 times when that
    may hold all but one of four.
    """

    def __init__(self, workspaces: int) -> None:
        self._workspaces = asyncio.Semaphore(workspaces)
        self._share = (workspaces + 1) // 2
        self._shares = WeakValueDictionary[ObjectKey, asyncio.Semaphore]()
        self._under_way = WeakValueDictionary[ObjectKey, asyncio.Semaphore]()
        self._ledgers = WeakValueDictionary[str, asyncio.Lock]()

    @asynccontextmanager
    async def run(self, connection: ObjectKey) -> AsyncIterator[None]:
        """While a run is under way; wait until it may be."""
        async with self._under_way.setdefault(connection, asyncio.Semaphore(MOST_UNDER_WAY)):
            yield

    @asynccontextmanager
    async def ledger(self, url: str) -> AsyncIterator[None]:
        """While one run uses a ledger; wait until no other does.

        Activations of two contact types share a ledger, and a deleted one may still be sending when its successor
        begins.
        """
        async with self._ledgers.setdefault(url, asyncio.Lock()):
            yield

    @asynccontextmanager
    async def workspace(self, connection: ObjectKey) -> AsyncIterator[None]:
        """While a run holds an audience in memory, from extract to guard; wait until it may."""
        async with self._shares.setdefault(connection, asyncio.Semaphore(self._share)), self._workspaces:
            yield
