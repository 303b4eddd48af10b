"""The one thread that a run's blocking work happens in: warehouse, DuckDB, Delta."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Worker:
    """Calls in order, one at a time. A cancelled run leaves its thread to finish what it is at, and then to end."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(wait=False)

    async def __call__(
        self, call: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Answer:
        # With the caller's context, as asyncio.to_thread does: what the thread logs is about the caller's run.
        return await asyncio.wrap_future(self._executor.submit(copy_context().run, partial(call, *args, **kwargs)))

    @asynccontextmanager
    async def entered(self, context: AbstractContextManager[Answer]) -> AsyncIterator[Answer]:
        """Enter `context` in the thread, and leave it there when the thread gets to it; nobody waits for that."""
        answer = await self(context.__enter__)
        try:
            yield answer
        finally:
            self._executor.submit(copy_context().run, context.__exit__, None, None, None)
