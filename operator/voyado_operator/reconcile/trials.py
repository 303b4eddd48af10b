"""Contacts that are being tried: of two canaries at one contact, each would take the other's change for harm."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager


class Trials:
    """Of all runs; contactIds are GUIDs, so that of several tenants no two are the same.

    Who was `harmed` and not put back has nothing left to lose: the same change shows no harm on them any more.
    """

    def __init__(self) -> None:
        self.harmed: set[str] = set()
        self._tried: set[str] = set()
        self._ended = asyncio.Condition()

    @asynccontextmanager
    async def of(self, contact_ids: Collection[str]) -> AsyncIterator[None]:
        """Wait until nobody else tries one of them."""
        async with self._ended:
            await self._ended.wait_for(lambda: self._tried.isdisjoint(contact_ids))
            self._tried.update(contact_ids)
        try:
            yield
        finally:
            async with self._ended:
                self._tried.difference_update(contact_ids)
                self._ended.notify_all()
