"""Requests that are paced, retried and counted.

Nothing that leaves this module quotes a URL or a body: both hold addresses and ids.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import aiohttp
import stamina
from yarl import URL

from voyado_operator.api.common import ObjectKey
from voyado_operator.domain.errors import CredentialsInvalid, LedgerUnavailable, RunError
from voyado_operator.engage.clock import EngageClock
from voyado_operator.engage.limiter import Priority, RateLimiter
from voyado_operator.engage.session import LookedTooLongAgo, now

PASSING = {408, 429, 500, 502, 503, 504}
NOT_DONE = {429, 503}  # the server says itself that it does not handle the request now (RFC 6585 4, RFC 9110 15.6.4)
LARGEST_ANSWER = 8 * 2**20  # bytes; the largest expected is a list of consents with their texts
LONGEST_SINCE_LOOK = 2.0  # seconds from an answer to the write that rests on it: what a frozen process or a slow
# connection makes longer is looked at again
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

_GoesOn = Callable[[Exception], bool | float]
_T = TypeVar("_T")


class Observer(Protocol):
    """Told of every request; `code` is a status code or the kind of failure."""

    def request(self, connection: ObjectKey, operation: str, code: str, seconds: float) -> None: ...

    def throttled_for(self, connection: ObjectKey, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on trying, in seconds. Voyado asks server jobs for growing waits (engage-api.md 2).

    `for_an_answer`: Voyado gives no figure but says that answers are "occasionally longer"; its Terraform provider
    waits 120 s.
    """

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 30.0
    total: float = 120.0
    for_an_answer: float = 120.0

    @property
    def of_an_attempt(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=2.5 * self.for_an_answer, sock_connect=10.0, sock_read=self.for_an_answer)


class Unanswered(Exception):  # noqa: N818 - what happened, for the client to interpret
    """No usable answer after all attempts; `possibly_done`: Engage may have done what it was asked."""

    def __init__(self, what: str, possibly_done: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        super().__init__(what)
        self.possibly_done = possibly_done


class _Again(Exception):  # noqa: N818 - steers the retries
    def __init__(self, what: str, possibly_done: bool, after: float | None = None) -> None:  # noqa: FBT001
        super().__init__(what)
        self.possibly_done = possibly_done
        self.after = after


@dataclass(frozen=True, slots=True)
class Request:
    """`operation` names the call in metrics; `path` begins with /api/; `content` is JSON."""

    operation: str
    method: str
    path: str
    params: dict[str, str] | None = None
    content: bytes | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True)
class Answer:
    """Status code and JSON body; `is_readable` is false for a body that is not JSON.

    `follows_silence`: an earlier attempt was not answered and may have been done, whatever this one says.
    """

    status: int
    body: Any
    is_readable: bool
    follows_silence: bool = False


@dataclass(slots=True)
class Transport:
    """One tenant's API for one user of it; `requests` counts what went out. `http` is a session of pool.py."""

    http: aiohttp.ClientSession
    limiter: RateLimiter
    url: str
    headers: dict[str, str]
    connection: ObjectKey
    observer: Observer
    patience: Patience
    proxy: str | None = None
    requests: int = 0
    clock: EngageClock = field(default_factory=EngageClock)
    _user: object = field(default_factory=object)

    async def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        content: bytes | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> Answer:
        """See Request.

        A POST that may have been done is not sent again (engage-api.md 2: "POST changes state each time").
        Raises Unanswered, LedgerUnavailable when nothing may be written now, or CredentialsInvalid on 401 and 403; the
        latter two only where no earlier attempt can have been done.
        """
        request = Request(operation, method, path, params, content, priority)
        goes_on = _wait_for_undone if method == "POST" else _wait_for
        answer, follows_silence = await self._insistently(partial(self._attempt, request), goes_on)
        return replace(answer, follows_silence=True) if follows_silence else answer

    async def send_if(self, look: Request, is_right: Callable[[Answer], bool], write: Request) -> Answer | None:
        """Ask, and if the answer is right, write at once; return what Engage says to that, or None: nothing was sent.

        Both requests have their slots before the first goes out, and the write waits for nothing. After any wait it is
        asked and judged again. A write that may have been done is not sent again. Raises as `send` does.
        """
        answer, _ = await self._insistently(partial(self._look_and_write, look, is_right, write), _wait_for_undone)
        return answer

    async def _look_and_write(self, look: Request, is_right: Callable[[Answer], bool], write: Request) -> Answer | None:
        async with self.limiter.pair(look.priority, self._user) as slots:
            self.observer.throttled_for(self.connection, slots.waited)
            answer = await self._exchange(look)
            looked_at = now()
            if not is_right(answer):
                return None
            if not slots.use_second():
                raise _Again("a slow answer", possibly_done=False)
            return await self._exchange(write, looked_at)

    async def _insistently(self, attempt: Callable[[], Awaitable[_T]], goes_on: _GoesOn) -> tuple[_T, bool]:
        """Attempt it until it is answered, or for as long as patience lasts.

        Returns also whether an earlier attempt was not answered and may have been done.

        stamina counts the first attempt, but it is made without: what stamina keeps of a request are 46 objects in
        cycles. To collect those of 1,700 requests held the event loop up for 80 ms.
        """
        started = monotonic()
        try:
            return await attempt(), False
        except _Again as again:
            first = again
        possibly_done, left = False, self.patience.total - (monotonic() - started)
        try:
            async for trying in stamina.retry_context(
                on=goes_on,
                attempts=self.patience.attempts,
                timeout=max(left, 1e-9),  # it ends with the first attempt; stamina warns of 0
                wait_initial=self.patience.first_wait,
                wait_max=self.patience.longest_wait,
            ):
                with trying:
                    try:
                        if trying.num == 1:
                            raise first
                        return await attempt(), possibly_done
                    except _Again as again:
                        possibly_done |= again.possibly_done
                        raise
        except _Again as again:
            raise Unanswered(str(again), possibly_done) from None
        except RunError as error:
            if possibly_done:
                raise Unanswered(error.reason, possibly_done) from None
            raise
        raise AssertionError("stamina returns or raises")

    async def _attempt(self, request: Request) -> Answer:
        waited = await self.limiter.acquire(request.priority, self._user)
        self.observer.throttled_for(self.connection, waited)
        return await self._exchange(request)

    async def _exchange(self, request: Request, looked_at: float | None = None) -> Answer:
        """Send it once; what was read at `looked_at` must not be older than LONGEST_SINCE_LOOK when it goes out."""
        query = f"?{urlencode(request.params)}" if request.params else ""
        self.requests += 1
        started, code = monotonic(), "cancelled"
        try:
            async with self.http.request(
                request.method,
                URL(f"{self.url}{request.path}{query}", encoded=True),
                data=request.content,
                headers=self.headers,
                allow_redirects=False,
                proxy=self.proxy,
                timeout=self.patience.of_an_attempt,
                trace_request_ctx=None if looked_at is None else looked_at + LONGEST_SINCE_LOOK,
            ) as response:
                self.clock.heard(response.headers.get("Date"), started, monotonic())
                content = await _content(response)
            code = str(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error.__cause__, LedgerUnavailable):  # the last look at the Lease, before the body
                raise error.__cause__ from None
            code = type(error.__cause__ if isinstance(error.__cause__, LookedTooLongAgo) else error).__name__
            is_undone = isinstance(error, NOT_SENT) or request.method == "GET" or code == LookedTooLongAgo.__name__
            raise _Again(code, possibly_done=not is_undone) from None
        except LookedTooLongAgo:
            code = LookedTooLongAgo.__name__
            raise _Again(code, possibly_done=False) from None
        finally:
            self.observer.request(self.connection, request.operation, code, monotonic() - started)
        return self._interpreted(request, response, content)

    def _interpreted(self, request: Request, response: aiohttp.ClientResponse, content: bytes | None) -> Answer:
        status = response.status
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise CredentialsInvalid(
                f"Engage answered {status}: check the API key in the Secret of spec.apiKeySecretRef, and whether the "
                "key allows this IP address"
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self.limiter.slow_down()
        if status in PASSING:
            is_undone = status in NOT_DONE or request.method == "GET"
            raise _Again(f"status {status}", possibly_done=not is_undone, after=_retry_after(response))
        if content == b"":
            return Answer(status, None, is_readable=True)
        try:
            return Answer(status, json.loads(content or b"?"), is_readable=True)
        except (ValueError, RecursionError):  # not JSON, or nested deeper than any answer of Engage
            return Answer(status, None, is_readable=False)


async def _content(response: aiohttp.ClientResponse) -> bytes | None:
    """The body; None when it is larger than any answer of Engage, or compressed although nobody asked for that."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            response.close()
            return None
    return bytes(content)


def _wait_for(error: Exception) -> bool | float:
    """Stamina's hook: whether to try again, or after how many seconds."""
    if not isinstance(error, _Again):
        return False
    return True if error.after is None else error.after


def _wait_for_undone(error: Exception) -> bool | float:
    """As `_wait_for`, for what must not be done twice."""
    return not (isinstance(error, _Again) and error.possibly_done) and _wait_for(error)


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """In seconds; whether Engage sends the header is unknown, so a date is not read."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), 300.0) if value.replace(".", "", 1).isdigit() else None
