"""The simulator as a server."""

from types import TracebackType

from aiohttp import web

from engage_simulator import admin, api
from engage_simulator.state import STATE, State

LARGEST_BODY = 64 * 2**20  # a bulk of 4000 rows, or a seed of 200,000 contacts
API_KEY = "simulated"  # the key of a tenant that nobody configured


class Simulator:
    """One tenant on a port of its own: `async with Simulator() as simulator: … simulator.url …`."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1", api_key: str = API_KEY) -> None:
        self._port = port
        self._host = host
        application = web.Application(client_max_size=LARGEST_BODY, middlewares=[api.as_a_tenant])
        application[STATE] = State({api_key})
        application.on_response_prepare.append(api.date)
        application.add_routes(api.routes)
        application.add_routes(admin.routes)
        self._runner = web.AppRunner(application, access_log=None)

    @property
    def url(self) -> str:
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> "Simulator":
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
