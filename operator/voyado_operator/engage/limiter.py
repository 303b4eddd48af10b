"""One rate for all who use an API key, evenly spaced, opt-outs first."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from enum import IntEnum
from itertools import count
from time import monotonic

SLOWEST = 1.0  # requests per second
CALM_SECONDS = 1.0  # a burst of 429s is one sign, not many
CLIMB = 1.1  # per calm second: back from half to full in about 8 s


class Priority(IntEnum):
    """Who goes ahead in the queue."""

    OPT_OUT = 0
    NORMAL = 1


class RateLimiter:
    """Hands out slots 1/rate seconds apart, so that no second ever holds more than `rate` of them.

    `slow_down` halves the rate; it climbs back to what was configured while nobody complains. One event loop only.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._configured = self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._next_slot = self._changed = clock()
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._order = count()
        self._pacing: asyncio.Task[None] | None = None

    @property
    def rate(self) -> float:
        """Requests per second in force."""
        return self._rate

    def configure(self, rate: float) -> None:
        """Set the rate of calm weather; what back-pressure took off is kept."""
        self._rate = min(self._rate, rate) if self._rate < self._configured else rate
        self._configured = rate

    def slow_down(self) -> None:
        """Engage said 429."""
        now = self._clock()
        if now - self._changed >= CALM_SECONDS or self._rate == self._configured:
            self._rate, self._changed = max(SLOWEST, self._rate / 2), now

    async def acquire(self, priority: Priority = Priority.NORMAL) -> float:
        """Wait for a slot; return for how many seconds."""
        asked = self._clock()
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), slot))
        if self._pacing is None or self._pacing.done():
            self._pacing = asyncio.create_task(self._pace())
        await slot
        return self._clock() - asked

    async def _pace(self) -> None:
        while self._waiting:
            wait = self._next_slot - self._clock()
            if wait > 0:
                await self._sleep(wait)
            if not self._waiting:
                return
            _, _, slot = heapq.heappop(self._waiting)
            if slot.done():  # whoever waited has been cancelled
                continue
            now = self._clock()
            self._climb(now)
            self._next_slot = max(self._next_slot, now) + 1 / self._rate
            slot.set_result(None)

    def _climb(self, now: float) -> None:
        if self._rate < self._configured and now - self._changed >= CALM_SECONDS:
            self._rate, self._changed = min(self._configured, self._rate * CLIMB), now
