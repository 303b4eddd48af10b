"""The outer loop of an object's daemon: step, wait, wake; nothing that goes wrong ends it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from voyado_operator.reconcile.delivery import Interrupted

logger = logging.getLogger(__name__)
Step = Callable[[], Awaitable[float | None]]
AFTER_A_SURPRISE = 10.0  # seconds


class Stopping(Protocol):
    """Kopf's sign that the object goes, or the operator stops."""

    def __bool__(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> Awaitable[object]: ...


async def live(name: str, step: Step, wake: asyncio.Event, stopping: Stopping) -> None:
    """Call `step` again when it said to, or when `wake` is set, until `stopping`.

    A daemon that ends is not started again before the operator is (operators.md 1.4), so a defect or an API server
    that is away must not end it.
    """
    while not stopping:
        wake.clear()
        try:
            seconds = await step()
        except Interrupted:
            return
        except Exception:
            logger.exception("%s: will be tried again", name)
            seconds = AFTER_A_SURPRISE
        await _first_of(stopping, wake, seconds)


async def _first_of(stopping: Stopping, wake: asyncio.Event, seconds: float | None) -> None:
    tasks = [asyncio.ensure_future(stopping.wait(seconds)), asyncio.ensure_future(wake.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
