"""What one connection's runs may hold, so that others do not feel a tenant that hangs."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest
from voyado_operator.api.common import ObjectKey
from voyado_operator.reconcile.slots import MOST_UNDER_WAY, Slots

HANGING, OTHER = ObjectKey("crm", "hanging"), ObjectKey("crm", "other")


async def held_by(slots: list[AbstractAsyncContextManager[None]]) -> tuple[int, list[asyncio.Task[None]]]:
    """How many of them are held at once, and the tasks that hold or want them."""
    held = 0

    async def hold(slot: AbstractAsyncContextManager[None]) -> None:
        nonlocal held
        async with slot:
            held += 1
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(hold(slot)) for slot in slots]
    for _ in range(5):
        await asyncio.sleep(0)
    return held, tasks


@pytest.mark.parametrize(("workspaces", "of_one", "left"), [(4, 2, 2), (3, 2, 1), (2, 1, 1), (1, 1, 0)])
async def test_a_connection_leaves_half_the_workspaces_to_the_others(workspaces: int, of_one: int, left: int) -> None:
    slots = Slots(workspaces)
    held, hanging = await held_by([slots.workspace(HANGING) for _ in range(10)])
    others, waiting = await held_by([slots.workspace(OTHER) for _ in range(10)])

    assert (held, others) == (of_one, left)

    for task in (*hanging, *waiting):
        task.cancel()
    await asyncio.gather(*hanging, *waiting, return_exceptions=True)
    again, tasks = await held_by([slots.workspace(one) for one in (HANGING, OTHER) for _ in range(10)])
    assert again == workspaces, "whoever was cancelled has given back what it held"
    for task in tasks:
        task.cancel()


async def test_the_runs_of_a_connection_are_bounded_and_others_do_not_wait_for_them() -> None:
    slots = Slots(4)
    held, hanging = await held_by([slots.run(HANGING) for _ in range(MOST_UNDER_WAY + 10)])
    others, tasks = await held_by([slots.run(OTHER) for _ in range(10)])

    assert (held, others) == (MOST_UNDER_WAY, 10)
    for task in (*hanging, *tasks):
        task.cancel()
