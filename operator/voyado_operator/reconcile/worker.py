"""The one thread that a run's blocking work happens in: warehouse, DuckDB, Delta."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
        return await asyncio.wrap_future(self._executor.submit(call, *args, **kwargs))

    def afterwards(self, call: Callable[[], object]) -> None:
        """Let the thread do `call` when it gets there; nobody waits for it."""
        self._executor.submit(call)
