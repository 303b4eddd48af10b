"""When all batches of a kind are with Engage, so that the next kind may begin."""

import asyncio
import uuid
from collections.abc import Callable

import pytest
from voyado_operator.domain.contacts import Contacts
from voyado_operator.reconcile.lanes import LANES, Lanes, UnderWay
from voyado_operator.reconcile.ports import Tell


class Sending:
    """So many batches, each of which goes on as the test says."""

    def __init__(self, batches: int) -> None:
        self.left = [Contacts.of([str(uuid.uuid4())]) for _ in range(batches)]
        self.begun = list[Tell]()
        self.ends = list[asyncio.Future[None]]()
        self.under_way = UnderWay()
        self.lanes = Lanes(self.take, self.send, self.commit, self.under_way)
        self.working = asyncio.create_task(self.lanes.work())

    async def take(self) -> Contacts | None:
        return self.left.pop() if self.left else None

    async def send(self, batch: Contacts, others_may_follow: Tell, handed_in: Tell) -> None:
        self.begun.append(handed_in)
        self.ends.append(asyncio.get_running_loop().create_future())
        await self.ends[-1]

    async def commit(self) -> None:
        return None

    async def does(self, *what: Callable[[], object]) -> bool:
        """Whether all is handed in, when this was done and every lane has got as far as it gets."""
        for one in what:
            one()
        for _ in range(10):
            await asyncio.sleep(0)
        return self.lanes.all_handed_in.is_set()

    def end(self, number: int) -> Callable[[], object]:
        return lambda: self.ends[number].set_result(None)

    def hand_in(self, number: int) -> Callable[[], object]:
        return lambda: self.begun[number]()


async def test_nothing_is_handed_in_at_once() -> None:
    assert await Sending(0).does()


async def test_what_is_handed_in_may_still_be_worked_on() -> None:
    sending = Sending(1)

    assert not await sending.does()
    assert await sending.does(sending.hand_in(0))
    assert not sending.working.done()
    await sending.does(sending.end(0))
    assert sending.working.done()


async def test_what_does_not_tell_is_handed_in_at_its_end() -> None:
    sending = Sending(2)

    assert not await sending.does()
    assert not await sending.does(sending.end(0))
    assert await sending.does(sending.end(1))


async def test_others_follow_a_batch_that_is_handed_in_and_all_of_them_count() -> None:
    sending = Sending(2)

    await sending.does()
    assert len(sending.begun) == 1
    assert not await sending.does(sending.hand_in(0))
    assert len(sending.begun) == 2
    assert not await sending.does(sending.end(0)), "the other is on its way"
    assert await sending.does(sending.hand_in(1))


async def test_as_long_as_some_are_left_they_are_not_handed_in() -> None:
    sending = Sending(LANES + 1)
    await sending.does()
    await sending.does(sending.hand_in(0))

    assert not await sending.does(*(sending.hand_in(number) for number in range(1, LANES)))
    assert len(sending.begun) == LANES, "no more at a time"
    assert not await sending.does(sending.end(0))
    assert not await sending.does(sending.hand_in(LANES)), "it shows when a lane asks for another"
    assert await sending.does(sending.end(1))


@pytest.mark.parametrize("batches", [1, 2])
async def test_whoever_waits_for_the_handing_in_knows_of_what_went_wrong_before(batches: int) -> None:
    sending = Sending(batches)
    await sending.does()
    wrong = RuntimeError("refused")

    assert await sending.does(lambda: sending.ends[0].set_exception(wrong))
    assert sending.under_way.stopped == [wrong]
    assert len(sending.begun) == 1, "no other batch is begun"
    await sending.working
