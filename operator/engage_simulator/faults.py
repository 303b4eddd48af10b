"""Breaking things on purpose."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KINDS = ("status", "resetBefore", "resetAfter", "latency", "hold", "slowAnswer", "garbage")


@dataclass(slots=True)
class Fault:
    """What to do to requests that match; `times` counts down, None is for ever.

    status: answer `status` (with `retry_after` seconds, if set) and do nothing; resetBefore: hang up and do nothing;
    resetAfter: do it and hang up; latency: wait `seconds`, then do it; hold: wait until the faults are set anew, then
    do it; slowAnswer: do it, then wait; garbage: do it and answer what is no JSON.
    """

    kind: str
    method: str | None = None
    path: str = ""
    status: int = 500
    retry_after: float | None = None
    seconds: float = 0.0
    times: int | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @classmethod
    def from_json(cls, wanted: dict[str, Any]) -> "Fault":
        if wanted.get("kind") not in KINDS:
            raise web.HTTPBadRequest(text=f"kind must be one of {', '.join(KINDS)}")
        names = {"retryAfter": "retry_after"}
        return cls(**{names.get(name, name): value for name, value in wanted.items()})

    def hits(self, request: web.Request) -> bool:
        return self.times != 0 and self.method in (None, request.method) and bool(re.search(self.path, request.path))


@dataclass(slots=True)
class Faults:
    """The first fault that matches a request is done to it."""

    active: list[Fault] = field(default_factory=list)

    def set_anew(self, *active: Fault) -> None:
        for fault in self.active:
            fault.over.set()
        self.active = list(active)

    def take(self, request: web.Request) -> Fault | None:
        fault = next((fault for fault in self.active if fault.hits(request)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
        return fault


async def before(fault: Fault, request: web.Request) -> web.Response | None:
    """What a fault does in place of, or ahead of, the work."""
    if fault.kind == "status":
        headers = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
        return web.Response(status=fault.status, headers=headers)
    if fault.kind == "resetBefore":
        hang_up(request)
    if fault.kind == "latency":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "hold":
        await fault.over.wait()
    return None


async def after(fault: Fault, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """What a fault does to an answer once the work is done."""
    if fault.kind == "slowAnswer":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "resetAfter":
        hang_up(request)
    if fault.kind == "garbage":
        return web.Response(text="<html>not what you expected</html>")
    return answer


def hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    raise web.HTTPInternalServerError
