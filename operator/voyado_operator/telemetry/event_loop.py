"""How long the event loop is kept from its work, as by a thread that holds the interpreter."""

import asyncio
from collections.abc import Callable

EVERY = 0.05  # seconds, half of what must not happen; the looks take 0.3 % of a core


async def watch(observe: Callable[[float], None]) -> None:
    """Tell `observe` every EVERY seconds by how many seconds the look came too late."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        observe(max(0.0, loop.time() - due))
