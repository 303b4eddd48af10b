"""Two canaries never try their changes on one contact at the same time."""

import asyncio

from voyado_operator.reconcile.trials import Trials


async def test_a_contact_is_tried_by_one_at_a_time_and_others_do_not_wait() -> None:
    trials, order = Trials(), list[str]()
    first_may_end = asyncio.Event()

    async def trial(name: str, contacts: list[str], may_end: asyncio.Event | None = None) -> None:
        async with trials.of(contacts):
            order.append(f"{name} begins")
            await (may_end.wait() if may_end else asyncio.sleep(0))
            order.append(f"{name} ends")

    first = asyncio.create_task(trial("first", ["anna", "bert"], first_may_end))
    await asyncio.sleep(0)
    same = asyncio.create_task(trial("same", ["bert"]))
    await trial("another", ["carl"])
    first_may_end.set()
    await asyncio.gather(first, same)

    assert order == ["first begins", "another begins", "another ends", "first ends", "same begins", "same ends"]
