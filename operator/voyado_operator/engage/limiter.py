"""One rate for all who use an API key, evenly spaced, opt-outs first, and every run in its turn."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from enum import IntEnum
from itertools import count
from time import monotonic

SLOWEST = 1.0  # requests per second
LATE = 0.01  # seconds; timers are up to a millisecond late, at 200 requests a second 7 % of the rate
CALM_SECONDS = 1.0  # a burst of 429s is one sign, not many
CLIMB = 1.1  # per calm second: back from half to full in about 8 s


class Priority(IntEnum):
    """Who goes ahead in the queue."""

    OPT_OUT = 0
    NORMAL = 1


class RateLimiter:
    """Hands out slots evenly, so that no second ever holds more than `rate` of them, and one.

    A slot that comes up to LATE seconds late does not put off the next one; in return so much of a second stays free.
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
        self._waiting: list[tuple[Priority, int, int, object, asyncio.Future[None]]] = []
        self._order = count()
        self._turn = 0  # of the latest slot
        self._turns: dict[object, int] = {}  # the last that each user waits for
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

    async def acquire(self, priority: Priority = Priority.NORMAL, user: object = None) -> float:
        """Wait for a slot; return for how many seconds. Users get slots in turn, however many each waits for."""
        asked = self._clock()
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turn = self._turns[user] = max(self._turn, self._turns.get(user, 0)) + 1
        heapq.heappush(self._waiting, (priority, turn, next(self._order), user, slot))
        if self._pacing is None or self._pacing.done():
            self._next_slot = max(self._next_slot, asked)  # time in which nobody waited is not made up for
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
            _, turn, _, user, slot = heapq.heappop(self._waiting)
            if self._turns.get(user) == turn:
                del self._turns[user]
            if slot.done():  # whoever waited has been cancelled
                continue
            self._turn = max(self._turn, turn)
            slot.set_result(None)
            await asyncio.sleep(0)  # until it is on its way: whatever holds the loop up meanwhile makes this slot late
            now = self._clock()
            self._climb(now)
            self._next_slot = max(self._next_slot, now - LATE) + (1 + LATE) / self._rate

    def _climb(self, now: float) -> None:
        if self._rate < self._configured and now - self._changed >= CALM_SECONDS:
            self._rate, self._changed = min(self._configured, self._rate * CLIMB), now
