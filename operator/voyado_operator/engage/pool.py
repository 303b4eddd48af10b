"""What all runs share of Engage: connections, and one rate limiter per API key, as Voyado measures per key."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from voyado_operator.api.common import ObjectKey
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import RateLimiter
from voyado_operator.engage.session import session
from voyado_operator.engage.transport import Observer, Patience, Transport


class EngagePool:
    """Lives as long as the operator."""

    def __init__(
        self,
        observer: Observer,
        version: str,
        may_write: Callable[[], bool],
        patience: Patience | None = None,
    ) -> None:
        self._observer = observer
        self._user_agent = f"voyado-operator/{version}"
        self._may_write = may_write
        self._patience = patience or Patience()
        self._limiters: dict[str, RateLimiter] = {}
        self._rates: dict[ObjectKey, tuple[str, float]] = {}

    @cached_property
    def _http(self) -> aiohttp.ClientSession:
        """Cached, as only a running event loop can have one."""
        return session(self._may_write)

    def client(
        self, url: str, api_key: str, contact_type: str | None, requests_per_second: float, connection: ObjectKey
    ) -> EngageClient:
        """A client for one run; all clients of one key share its rate, the lowest that a connection asks for."""
        limiter = self._limiter(url, api_key, requests_per_second, connection)
        headers = {
            "apikey": api_key,
            "User-Agent": self._user_agent,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",  # a compressed answer of a megabyte may be a gigabyte
        }
        transport = Transport(
            http=self._http,
            limiter=limiter,
            url=url.rstrip("/"),
            headers=headers,
            connection=connection,
            observer=self._observer,
            patience=self._patience,
            proxy=_proxy_for(url),
        )
        return EngageClient(transport, contact_type)

    async def close(self) -> None:
        await self._http.close()

    def connection_gone(self, connection: ObjectKey) -> None:
        """What it asked for slows its key's other connections down no longer."""
        self._rates.pop(connection, None)

    def _limiter(self, url: str, api_key: str, requests_per_second: float, connection: ObjectKey) -> RateLimiter:
        key = hashlib.sha256(f"{urlsplit(url).hostname}\n{api_key}".encode()).hexdigest()
        self._rates[connection] = key, requests_per_second
        lowest = min(rate for of, rate in self._rates.values() if of == key)
        limiter = self._limiters.setdefault(key, RateLimiter(lowest))
        limiter.configure(lowest)
        return limiter


def _proxy_for(url: str) -> str | None:
    """By HTTPS_PROXY and NO_PROXY; aiohttp would look for each request, in a thread, and for a .netrc too."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
