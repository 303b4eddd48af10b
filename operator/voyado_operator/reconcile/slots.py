"""How many runs are under way, and how many of them hold an audience in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from voyado_operator.api.common import ObjectKey

MOST_UNDER_WAY = 16  # of one connection: a thread each; more would only share the same rate


class Slots:
    """Of one connection one workspace less than there may be: its tenant may be slow, which others must not feel."""

    def __init__(self, workspaces: int) -> None:
        self._workspaces = asyncio.Semaphore(workspaces)
        self._share = max(1, workspaces - 1)
        self._shares = WeakValueDictionary[ObjectKey, asyncio.Semaphore]()
        self._under_way = WeakValueDictionary[ObjectKey, asyncio.Semaphore]()

    @asynccontextmanager
    async def run(self, connection: ObjectKey) -> AsyncIterator[None]:
        """While a run is under way; wait until it may be."""
        async with self._under_way.setdefault(connection, asyncio.Semaphore(MOST_UNDER_WAY)):
            yield

    @asynccontextmanager
    async def workspace(self, connection: ObjectKey) -> AsyncIterator[None]:
        """While a run holds an audience in memory, from extract to guard; wait until it may."""
        async with self._shares.setdefault(connection, asyncio.Semaphore(self._share)), self._workspaces:
            yield
