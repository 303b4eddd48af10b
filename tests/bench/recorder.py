"""A sink that also keeps when each request came, and what it was.

    python -m tests.bench.recorder PORT LATENCY_SECONDS

Beyond what the sink takes it answers look-ups by address and updates of single contacts, and shows what those wrote.
"""

import asyncio
import json
import sys
from time import monotonic
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

from tests.bench.sink import Connection, Request, Sink

LOOK_UP = "look-up"


class Recorder(Sink):
    """`arrivals` has for each request a monotonic time (seconds) and the attribute it writes, LOOK_UP or `other`."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[tuple[float, str]] = []
        self._written: dict[str, dict[str, object]] = {}

    def record(self, arrived: float, request: Request) -> bytes:
        path = urlsplit(request.target).path
        if path == "/arrivals":
            return json.dumps(sorted(self.arrivals)).encode()
        kind, body = "other", b""
        if path.endswith("/contacts/id"):
            kind, body = LOOK_UP, self._found(request)
        elif request.method == "PATCH" and not path.endswith("/bulk"):
            kind, body = self._updated(path.rpartition("/")[2], request)
        self.arrivals.append((arrived, kind))
        return body or self.answer(request)

    def _found(self, request: Request) -> bytes:
        """The same contact for an address whenever it is asked for."""
        [address] = parse_qs(urlsplit(request.target).query)["email"]
        return json.dumps(str(uuid5(NAMESPACE_URL, address))).encode()

    def _updated(self, contact_id: str, request: Request) -> tuple[str, bytes]:
        changes = json.loads(request.body)
        self._written.setdefault(contact_id, {}).update(changes)
        return next(iter(changes)), b"{}"

    def _contact(self, contact_id: str) -> dict[str, object]:
        attributes = super()._contact(contact_id)["attributes"]
        assert isinstance(attributes, dict)
        return {"id": contact_id, "attributes": attributes | self._written.get(contact_id, {})}


class Recorded(Connection):
    """Notes the time as soon as the last byte of a request is there: before the latency, and before it is read."""

    def __init__(self, recorder: Recorder, latency: float) -> None:
        super().__init__(self._recorded, latency)
        self._recorder = recorder
        self._arrived = 0.0

    def data_received(self, data: bytes) -> None:
        self._arrived = monotonic()  # nobody sends a second request before the first is answered
        super().data_received(data)

    def _recorded(self, request: Request) -> bytes:
        return self._recorder.record(self._arrived, request)


async def serve(port: int, latency: float) -> None:
    recorder = Recorder()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Recorded(recorder, latency), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
