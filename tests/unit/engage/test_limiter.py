"""The rate that all users of a key share, on a clock of its own."""

import asyncio
import heapq
from itertools import chain, repeat
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from voyado_operator.engage.limiter import Priority, RateLimiter


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        for _ in range(3):  # until whoever just got a slot has looked at the clock
            await asyncio.sleep(0)
        self.now += seconds


class VirtualTime:
    """Any number of sleepers; time passes to the next of them when nobody has anything else to do."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, int, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        heapq.heappush(self._sleeping, (self.now + seconds, id(woken), woken))
        await woken.wait()

    async def until(self, done: asyncio.Future[Any]) -> None:
        while not done.done():
            for _ in range(5):
                await asyncio.sleep(0)
            if self._sleeping:
                self.now, _, woken = heapq.heappop(self._sleeping)
                woken.set()
        await done


async def taken(limiter: RateLimiter, clock: Clock, number: int) -> list[float]:
    """When each of `number` waiting requests got its slot."""
    times: list[float] = []

    async def one() -> None:
        await limiter.acquire()
        times.append(clock.now)

    await asyncio.gather(*(one() for _ in range(number)))
    return times


async def test_no_second_has_more_than_the_rate() -> None:
    clock = Clock()
    times = await taken(RateLimiter(50, clock, clock.sleep), clock, 500)

    busiest = max(sum(1 for other in times if start <= other < start + 0.999) for start in times)
    assert busiest <= 50
    assert times[-1] < 10.1, "and hardly a slot is wasted"


@given(late=st.lists(st.floats(0, 0.02), min_size=150, max_size=150), rate=st.sampled_from([20, 50, 200]))
@settings(max_examples=30, deadline=None)
async def test_late_timers_neither_waste_slots_nor_bunch_them(late: list[float], rate: int) -> None:
    clock = Clock()
    lateness = chain(late, repeat(0.0))
    limiter = RateLimiter(rate, clock, lambda seconds: clock.sleep(seconds + next(lateness)))

    times = await taken(limiter, clock, 2 * rate + 50)

    assert max(sum(1 for other in times if start <= other < start + 1) for start in times) <= rate + 1


@given(stalls=st.lists(st.sampled_from([0, 0.004, 0.05]), min_size=150, max_size=150), rate=st.sampled_from([50, 200]))
@example(stalls=[0] * 5 + [0.05] * 2 + [0] * 143, rate=200)
@settings(max_examples=30, deadline=None)
async def test_whatever_holds_up_who_has_a_slot_puts_off_the_next(stalls: list[float], rate: int) -> None:
    clock, sent = Clock(), list[float]()
    limiter, stalling = RateLimiter(rate, clock, clock.sleep), chain(stalls, repeat(0.0))

    async def one() -> None:
        await limiter.acquire()
        clock.now += next(stalling)
        sent.append(clock.now)

    await asyncio.gather(*(one() for _ in range(2 * rate + 50)))

    assert max(sum(1 for other in sent if start <= other < start + 1) for start in sent) <= rate + 1


async def test_timers_that_are_a_little_late_cost_no_slots() -> None:
    clock = Clock()
    times = await taken(RateLimiter(200, clock, lambda seconds: clock.sleep(seconds + 0.001)), clock, 1000)
    assert times[-1] < 5.1, "with every slot put off it would be 6"


@given(
    answers=st.lists(st.sampled_from([0.0, 0.02, 0.3, 0.9, 7.0]), min_size=60, max_size=60),
    kinds=st.lists(st.sampled_from(["one", "pair", "look"]), min_size=60, max_size=60),
    rate=st.sampled_from([3, 20, 50]),
)
@settings(max_examples=30, deadline=None)
async def test_whenever_the_second_of_a_pair_is_used_its_second_has_room(
    answers: list[float], kinds: list[str], rate: int
) -> None:
    """Pairs whose first answer takes so long, pairs that need no second, and single requests beside them."""
    time, sent = VirtualTime(), list[float]()
    limiter = RateLimiter(rate, time, time.sleep)

    async def one(kind: str, seconds: float) -> None:
        if kind == "one":
            await limiter.acquire()
            sent.append(time.now)
            return
        async with limiter.pair() as pair:
            sent.append(time.now)
            await time.sleep(seconds)
            if kind == "pair" and pair.use_second():
                sent.append(time.now)

    await time.until(asyncio.gather(*(one(kind, seconds) for kind, seconds in zip(kinds, answers, strict=True))))

    assert max(sum(1 for other in sent if start <= other < start + 0.999) for start in sent) <= rate
    assert not limiter._reserved


async def test_pairs_use_the_rate() -> None:
    clock, sent = Clock(), list[float]()
    limiter = RateLimiter(50, clock, clock.sleep)

    async def one() -> None:
        async with limiter.pair() as pair:
            sent.append(clock.now)
            assert pair.use_second()
            sent.append(clock.now)

    await asyncio.gather(*(one() for _ in range(250)))

    assert max(sum(1 for other in sent if start <= other < start + 0.999) for start in sent) <= 50
    assert sent[-1] < 10.2


async def test_what_a_pair_does_not_use_is_given_back() -> None:
    clock = Clock()
    limiter = RateLimiter(50, clock, clock.sleep)

    async def look() -> None:
        async with limiter.pair():
            pass

    await asyncio.gather(*(look() for _ in range(250)))

    assert clock.now < 5.2, "as single requests would"


async def test_whoever_gives_up_a_pair_leaves_nothing_reserved() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock, clock.sleep)

    async def one() -> None:
        async with limiter.pair():
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(one()) for _ in range(3)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert not limiter._reserved
    await limiter.acquire()


async def test_opt_outs_go_ahead_of_pairs_that_wait() -> None:
    clock, order = Clock(), list[str]()
    limiter = RateLimiter(10, clock, clock.sleep)

    async def pair(name: str) -> None:
        async with limiter.pair() as slots:
            order.append(name)
            slots.use_second()

    async def opt_out() -> None:
        await limiter.acquire(Priority.OPT_OUT)
        order.append("opt-out")

    await asyncio.gather(pair("first"), pair("second"), opt_out())

    assert order == ["opt-out", "first", "second"]


async def test_users_get_their_turns_however_many_each_waits_for() -> None:
    clock, order = Clock(), list[str]()
    limiter = RateLimiter(10, clock, clock.sleep)

    async def one(user: str) -> None:
        await limiter.acquire(user=user)
        order.append(user)

    await asyncio.gather(*(one("many") for _ in range(6)), *(one("few") for _ in range(3)))

    assert order == ["many", "few", "many", "few", "many", "few", "many", "many", "many"]


async def test_a_429_halves_the_rate_and_calm_brings_it_back() -> None:
    clock = Clock()
    limiter = RateLimiter(100, clock, clock.sleep)
    limiter.slow_down()
    assert limiter.rate == 50
    limiter.slow_down()
    assert limiter.rate == 50, "a burst of 429s is one sign"

    await taken(limiter, clock, 1500)

    assert limiter.rate == 100
    for _ in range(20):
        clock.now += 2
        limiter.slow_down()
    assert limiter.rate == 1, "it never stops entirely"


async def test_a_new_rate_keeps_what_back_pressure_took_off() -> None:
    clock = Clock()
    limiter = RateLimiter(100, clock, clock.sleep)
    limiter.slow_down()
    limiter.configure(200)
    assert limiter.rate == 50
    limiter.configure(20)
    assert limiter.rate == 20


async def test_opt_outs_go_ahead_of_everything_that_waits() -> None:
    clock, order = Clock(), list[str]()
    limiter = RateLimiter(10, clock, clock.sleep)

    async def one(name: str, priority: Priority) -> None:
        await limiter.acquire(priority)
        order.append(name)

    normal = [one(f"normal-{number}", Priority.NORMAL) for number in range(3)]
    await asyncio.gather(*normal, one("opt-out", Priority.OPT_OUT))

    assert order == ["opt-out", "normal-0", "normal-1", "normal-2"]


async def test_whoever_gives_up_takes_no_slot() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock, clock.sleep)
    first, second = (asyncio.create_task(limiter.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert clock.now < 0.1
