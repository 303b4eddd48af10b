"""One rate for all who use an API key, evenly spaced, opt-outs first, and every run in its turn."""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from itertools import count
from math import ceil, isfinite
from time import monotonic
from typing import NamedTuple

SLOWEST = 1.0  # requests per second
LATE = 0.01  # seconds; timers are up to a millisecond late, at 200 requests a second 7 % of the rate
CALM_SECONDS = 1.0  # a burst of 429s is one sign, not many
CLIMB = 1.1  # per calm second: back from half to full in about 8 s
RESERVED_FOR = 5.0  # seconds; requests that hang must not keep the slots of everybody else
NO_WAIT = 1e-9  # seconds; what is left of a wait by the arithmetic


class Priority(IntEnum):
    """Who goes ahead in the queue."""

    OPT_OUT = 0
    NORMAL = 1


class _Waiting(NamedTuple):
    """A request for slots; the first three decide who goes ahead."""

    priority: Priority
    turn: int
    order: int
    user: object
    slots: int
    granted: asyncio.Future[None]


class RateLimiter:
    """Hands out slots evenly, so that no second ever holds more than `rate` of them.

    A slot that comes up to LATE seconds late does not put off the next one; in return so much of a second stays free.
    A `pair` is two slots as one: the second is taken at once and used without another wait. Whenever that is, its
    second has room for it: until then it counts in every second. At a rate below 2 a pair is two in one second.
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
        self._waiting: list[_Waiting] = []
        self._order = count()
        self._turn = 0  # of the latest slot
        self._turns: dict[object, int] = {}  # the last that each user waits for
        self._pacing: asyncio.Task[None] | None = None
        self._used = deque[float]()  # when slots were, in the last second
        self._given_back = 0  # slots, since the pace was last looked at
        self._reserved = dict[int, float]()  # second slots that are still to be used, and since when

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
        return await self._granted(self._request(priority, user, slots=1))

    @asynccontextmanager
    async def pair(self, priority: Priority = Priority.NORMAL, user: object = None) -> AsyncIterator["Pair"]:
        """Wait for two slots; the first is for now. The second is given back if it is not used."""
        request = self._request(priority, user, slots=2)
        try:
            yield Pair(self, request.order, await self._granted(request))
        finally:
            if self._reserved.pop(request.order, None) is not None:
                self._given_back += 1

    def use_reserved(self, number: int) -> bool:
        """Use the second slot of a pair now; return False where it has lapsed and this second has no room."""
        now = self._clock()
        since = self._reserved.pop(number)
        if since <= now - RESERVED_FOR and self._missing(1, now) > 0:
            return False
        self._count(now)
        return True

    def _request(self, priority: Priority, user: object, slots: int) -> _Waiting:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turn = self._turns[user] = max(self._turn, self._turns.get(user, 0)) + 1
        return _Waiting(priority, turn, next(self._order), user, slots, granted)

    async def _granted(self, request: _Waiting) -> float:
        asked = self._clock()
        heapq.heappush(self._waiting, request)
        if self._pacing is None or self._pacing.done():
            self._next_slot = max(self._next_slot, asked)  # time in which nobody waited is not made up for
            self._pacing = asyncio.create_task(self._pace())
        await request.granted
        return self._clock() - asked

    async def _pace(self) -> None:
        while self._waiting:
            if (wait := self._wait(self._waiting[0].slots)) > NO_WAIT:
                await self._sleep(wait)
                continue  # somebody else may be first by now
            first = heapq.heappop(self._waiting)
            if self._turns.get(first.user) == first.turn:
                del self._turns[first.user]
            if first.granted.done():  # whoever waited has been cancelled
                continue
            self._turn = max(self._turn, first.turn)
            if first.slots == 2:
                self._reserved[first.order] = self._clock()
            first.granted.set_result(None)
            await asyncio.sleep(0)  # until it is on its way: whatever holds the loop up meanwhile makes this slot late
            now = self._clock()
            self._count(now)
            self._climb(now)
            self._next_slot = max(self._next_slot, now - LATE) + first.slots * self._interval

    @property
    def _interval(self) -> float:
        return (1 + LATE) / self._rate

    def _wait(self, slots: int) -> float:
        """Seconds until so many slots are free: evenly spaced, and with room in every second that they may fall in."""
        now = self._clock()
        self._next_slot -= self._given_back * self._interval
        self._given_back = 0
        wait, missing = self._next_slot - now, self._missing(slots, now)
        if missing <= 0:
            return wait
        nth = ceil(missing) - 1
        return max(wait, self._used[nth] + 1 - now if nth < len(self._used) else self._interval)

    def _missing(self, slots: int, now: float) -> float:
        """How many more the last second and what is reserved would have than the rate allows."""
        while self._used and self._used[0] <= now - 1:
            self._used.popleft()
        reserved = sum(since > now - RESERVED_FOR for since in self._reserved.values())
        return len(self._used) + reserved + slots - max(self._rate, slots)

    def _count(self, now: float) -> None:
        if isfinite(self._rate):
            self._used.append(now)

    def _climb(self, now: float) -> None:
        if self._rate < self._configured and now - self._changed >= CALM_SECONDS:
            self._rate, self._changed = min(self._configured, self._rate * CLIMB), now


class Pair:
    """Two slots; whoever holds them had to wait for so many seconds."""

    def __init__(self, limiter: RateLimiter, number: int, waited: float) -> None:
        self._limiter = limiter
        self._number = number
        self.waited = waited

    def use_second(self) -> bool:
        """Return whether the second slot may be used now, which is then counted; at most once."""
        return self._limiter.use_reserved(self._number)
