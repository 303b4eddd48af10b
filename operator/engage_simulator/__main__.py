"""`engage-simulator --port N`."""

import asyncio
import signal
from typing import Annotated

import typer

from engage_simulator.server import API_KEY, Simulator


def serve(
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="On which address.")] = "127.0.0.1",
    api_key: Annotated[str, typer.Option(help="The tenant's API key.")] = API_KEY,
) -> None:
    """A simulated Voyado Engage tenant for tests, demos and load; see `/_admin` in admin.py."""
    asyncio.run(_serve(port, host, api_key))


async def _serve(port: int, host: str, api_key: str) -> None:
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    async with Simulator(port, host, api_key) as simulator:
        typer.echo(f"a simulated Engage tenant listens on {simulator.url}")
        await asked_to_stop.wait()


def main() -> None:
    typer.run(serve)


if __name__ == "__main__":
    main()
