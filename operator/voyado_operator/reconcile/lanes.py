"""The batches of one kind of change, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from voyado_operator.domain.contacts import Contacts
from voyado_operator.reconcile.ports import Tell

LANES = 3  # one waits for Engage, one writes down, one announces; a crash repeats a batch of each


@dataclass(slots=True)
class UnderWay:
    """What all lanes of a delivery share: of how many batches it is not written down yet what became of them, and what
    went wrong. No lane begins another batch then, but all end the one that they are at.
    """

    batches: int = 0
    stopped: list[Exception] = field(default_factory=list)


@dataclass(slots=True)
class Lanes:
    """`take` gives the next batch, if there is one; `send` is to tell when others may follow its first batch, and when
    all of a batch is with Engage, if that is before it is known what became of it. `commit` puts on disk what is noted.
    """

    take: Callable[[], Awaitable[Contacts | None]]
    send: Callable[[Contacts, Tell, Tell], Awaitable[None]]
    commit: Callable[[], Awaitable[None]]
    under_way: UnderWay
    all_handed_in: asyncio.Event = field(default_factory=asyncio.Event)
    _may_follow: asyncio.Event = field(default_factory=asyncio.Event)
    _handing_in: set[int] = field(default_factory=set)
    _is_taken: bool = False

    async def work(self) -> None:
        """Send all there is; `all_handed_in` is set when Engage has it, at the end at the latest."""
        await asyncio.gather(self._lane(), *(self._following() for _ in range(LANES - 1)))

    async def _following(self) -> None:
        await self._may_follow.wait()
        await self._lane()

    async def _lane(self) -> None:
        with collected(self.under_way.stopped):
            while (batch := await self.take()) and not self.under_way.stopped:
                await self._send(batch)
        self._is_taken = True
        self._may_follow.set()
        self._tell_if_all_is_handed_in()
        if self.under_way.batches:  # they may take long; else the next announcement comes at once, or the end
            with collected(self.under_way.stopped):
                await self.commit()

    async def _send(self, batch: Contacts) -> None:
        def handed_in() -> None:
            self._handing_in.discard(id(batch))
            self._may_follow.set()
            self._tell_if_all_is_handed_in()

        self.under_way.batches += 1
        self._handing_in.add(id(batch))
        try:
            await self.send(batch, self._may_follow.set, handed_in)
        finally:
            self.under_way.batches -= 1
            handed_in()

    def _tell_if_all_is_handed_in(self) -> None:
        if self._is_taken and not self._handing_in:
            self.all_handed_in.set()


@contextmanager
def collected(errors: list[Exception]) -> Iterator[None]:
    """What goes wrong is added to `errors`: the other lanes still write down what they have sent."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised when they have
        errors.append(error)
