"""How far a run is, for the status: written now and then, never per batch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

# Status writes are the API server's budget (operators.md 1.7): a run of up to 15 s takes three at most, with its claim
# and its end. A new generation shows that it is worked on by its claim, or after FIRST_SIGN.
FIRST_SIGN, FIRST_PROGRESS, LONGEST = 1.0, 5.0, 15.0


@dataclass(slots=True)
class Tracker:
    """The phase a run is in, how many of `total` contacts are done in it, and how long each phase took (seconds)."""

    phase: str = "Starting"
    done: int = 0
    total: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=monotonic)

    def enter(self, phase: str, total: int = 0) -> None:
        self.leave()
        self.phase, self.done, self.total = phase, 0, total

    def leave(self) -> None:
        """End the present phase."""
        now = monotonic()
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self._since
        self._since = now

    def advance(self, contacts: int) -> None:
        self.done += contacts


@asynccontextmanager
async def shown(tracker: Tracker, write: Callable[[Tracker], Awaitable[None]], first: float) -> AsyncIterator[None]:
    """While the block runs, `write` the tracker after `first` seconds, then less often, if it has changed."""
    task = asyncio.create_task(_write_now_and_then(tracker, write, first))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _write_now_and_then(tracker: Tracker, write: Callable[[Tracker], Awaitable[None]], first: float) -> None:
    written = tracker.phase, tracker.done, tracker.total  # that it waits to begin is no news
    wait = first
    while True:
        await asyncio.sleep(wait)
        wait = min(wait + FIRST_PROGRESS, LONGEST)
        present = tracker.phase, tracker.done, tracker.total
        if present != written:
            await write(tracker)
            written = present
