"""What keeps the event loop from its work is seen."""

import asyncio
import time

from voyado_operator.telemetry.event_loop import EVERY, watch


async def test_a_blocked_loop_is_told_as_late() -> None:
    told: asyncio.Queue[float] = asyncio.Queue()
    watching = asyncio.create_task(watch(told.put_nowait))
    await told.get()

    time.sleep(4 * EVERY)  # noqa: ASYNC251 - what nobody should do

    assert await told.get() >= 2 * EVERY
    watching.cancel()
