"""The HTTP client: aiohttp, with everything off that it would do by itself.

500 requests take it 0.15 s of CPU, httpx 2.2 s (bodies of 4000 rows, 16 at a time).
"""

import time
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from voyado_operator.domain.errors import LedgerUnavailable

CONNECTIONS_PER_HOST = 100  # and no limit in all: a tenant that does not answer must not take another one's


def now() -> float:
    """Seconds that also go on while the machine is suspended, where the system tells."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class LookedTooLongAgo(Exception):  # noqa: N818 - steers the retries
    """What a write rests on has become too old before it went out."""


def session(may_write: Callable[[], bool]) -> aiohttp.ClientSession:
    """For the running event loop. `may_write` is asked right before a request that changes something goes out."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS_PER_HOST),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        middlewares=(_once,),
        trace_configs=[_last_look(may_write)],
    )


Sending = aiohttp.TraceRequestHeadersSentParams | aiohttp.TraceRequestChunkSentParams


class Broken(aiohttp.ClientError):
    """The connection broke before an answer came."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Hide a broken connection from aiohttp, which would send a PUT or DELETE again: whether to is the transport's."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Broken from error


def _last_look(may_write: Callable[[], bool]) -> aiohttp.TraceConfig:
    """Hooks that aiohttp awaits right before it gives the head, and the head with the body, to the socket.

    The request's `trace_request_ctx` is the latest moment (see `now`) at which it may go out, if there is one.
    Any earlier look is too early: a slot of the limiter or a connection may take long to come, and a process may be
    frozen meanwhile (a lost node) and wake up after its successor took over.
    """

    async def look(_: object, context: SimpleNamespace, sending: Sending) -> None:
        latest: float | None = context.trace_request_ctx
        if latest is not None and now() > latest:
            raise LookedTooLongAgo
        if sending.method != "GET" and not may_write():
            raise LedgerUnavailable(
                "nothing is sent while this operator cannot renew its Lease, as another may have taken over; "
                "check that the API server can be reached"
            )

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(look)
    trace.on_request_chunk_sent.append(look)
    return trace
