"""The HTTP server that every contestant delivers to: takes bodies in after a latency, and tells what it has taken.

    python -m tests.bench.sink PORT LATENCY_SECONDS

It answers as Engage's bulk update does, at once and never with an error, so that only the contestant costs time; what
the bodies say is looked at after the clock has stopped.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Request(NamedTuple):
    method: str
    target: str
    body: bytes


class Sink:
    """Bodies in the order of their arrival."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.requests = 0

    def answer(self, request: Request) -> bytes:
        path, query = urlsplit(request.target).path, parse_qs(urlsplit(request.target).query)
        if path == "/taken":
            return json.dumps({"requests": self.requests, "rows": sum(map(_rows, self.bodies))}).encode()
        if path == "/bodies":
            return b"\n".join(self.bodies)
        self.requests += 1
        if request.method != "GET":
            self.bodies.append(request.body)
            return json.dumps(f"batch-{len(self.bodies) - 1}").encode()
        if path.endswith("/bulk/status"):
            rows = _rows(self.bodies[int(query["batchId"][0].removeprefix("batch-"))])
            return json.dumps({"status": "Completed", "total": rows, "succeeded": rows, "failed": 0}).encode()
        return json.dumps(self._contact(path.rpartition("/")[2])).encode()

    def _contact(self, contact_id: str) -> dict[str, object]:
        """As the latest body that names it says."""
        for body in reversed(self.bodies):
            if contact_id.encode() in body:
                [row] = [row for row in json.loads(body) if row["contactId"] == contact_id]
                return {"id": contact_id, "attributes": {"label_vip": row["label_vip"]}}
        return {"id": contact_id, "attributes": {"label_vip": False}}


def _rows(body: bytes) -> int:
    return body.count(b'"contactId"')


class Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as the contestants speak: a body has a length, the connection stays open."""

    def __init__(self, answer: Callable[[Request], bytes], latency: float) -> None:
        self._answer, self._latency = answer, latency
        self._received = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        line, *fields = self._received[:end].decode().split("\r\n")
        length = next((int(one[15:]) for one in fields if one.lower().startswith("content-length:")), 0)
        if len(self._received) < end + 4 + length:
            return
        body = bytes(self._received[end + 4 : end + 4 + length])
        del self._received[: end + 4 + length]
        method, target, _ = line.split(" ")
        request = Request(method, target, body)
        if self._latency and not target.startswith(("/taken", "/bodies")):
            asyncio.get_running_loop().call_later(self._latency, self._send, request)
        else:
            self._send(request)

    def _send(self, request: Request) -> None:
        body = self._answer(request)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve(port: int, latency: float) -> None:
    sink = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(sink.answer, latency), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
