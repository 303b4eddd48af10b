"""Whatever answers in Engage's place: it gets no key that is not its own, no memory, and is never believed."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from voyado_operator.domain.errors import EngageUnavailable
from voyado_operator.engage import transport
from voyado_operator.engage.answers import ItemAnswer, ItemStatus
from voyado_operator.engage.client import EngageClient
from voyado_operator.engage.limiter import Priority
from voyado_operator.engage.pool import EngagePool
from voyado_operator.engage.transport import Patience

from tests.component.observing import CONNECTION, Observed

CONTACT = "2f6b8a0e-0000-4000-8000-000000000001"
Write = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(write: Write) -> AsyncIterator[tuple[EngageClient, list[bytes]]]:
    """A client of a server that answers every request by `write`; and the requests it got."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n"))
        # A body left unread would turn the close into a reset, and the answer would be lost now and then.
        if length := re.search(rb"content-length: (\d+)", got[-1].lower()):
            await reader.readexactly(int(length[1]))
        try:
            await write(writer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = EngagePool(Observed(), "0.0.0", lambda: True, Patience(attempts=1))
    async with server:
        yield pool.client(f"http://127.0.0.1:{port}", "the-key", None, 200, CONNECTION), got
        await pool.close()


def head(status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


async def update(client: EngageClient) -> ItemAnswer:
    return await client.update(CONTACT, {"label_vip": True}, Priority.NORMAL)


async def test_a_body_of_two_gigabytes_is_left_unread() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head(Content_Length=str(2**31)))
        while sent < 2**31:
            writer.write(b"[" * 2**16)
            await writer.drain()
            sent += 2**16

    async with answering(endless) as (client, _):
        assert await update(client) == ItemAnswer(ItemStatus.UNKNOWN, "UnreadableAnswer")
    assert sent < 16 * transport.LARGEST_ANSWER


@pytest.mark.parametrize(
    "body",
    [
        head(Content_Encoding="gzip") + gzip.compress(b"[" * 2**26),
        head(Content_Encoding="br") + b"\x0b\x02\x80",
        head() + b'{"a":' * 100_000,
        head() + b"[" * 2**20,
        head() + b"\xff\xfe\x00",
        head() + b"NaN",
    ],
    ids=["gzip bomb", "brotli", "nested objects", "nested arrays", "no text", "no JSON number"],
)
async def test_an_answer_that_cannot_be_read_is_no_success(body: bytes) -> None:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(body)

    async with answering(write) as (client, got):
        answer = await update(client)
        assert answer.status in (ItemStatus.UNKNOWN, ItemStatus.DONE)
        assert (answer.status is ItemStatus.DONE) == body.endswith(b"NaN"), "a 200 with JSON of any kind"
        with pytest.raises(EngageUnavailable):
            await client.consents()
    assert b"Accept-Encoding: identity" in got[0]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(status: str) -> None:
    async def elsewhere(writer: asyncio.StreamWriter) -> None:
        writer.write(head("200 OK") + b"{}")

    async with answering(elsewhere) as (other, lured):
        target = other._transport.url

        async def redirect(writer: asyncio.StreamWriter) -> None:
            writer.write(head(status, Location=f"{target}/api/v3/contacts/{CONTACT}"))

        async with answering(redirect) as (client, _):
            assert (await update(client)).status is ItemStatus.UNKNOWN
    assert lured == [], "the key went nowhere else"


async def test_the_key_is_in_no_error() -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 the-key\r\n\r\n")

    async with answering(hang_up) as (client, _):
        with pytest.raises(EngageUnavailable) as caught:
            await client.consents()
    assert "the-key" not in repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
