"""Who is answered while still sending reads the answer, and is not cut off."""

import asyncio
import socket
from typing import Any

import pytest
import uvicorn

from gateway_service import server
from gateway_service.access.waiting import Waiting
from gateway_service.server import RunningGateway, _connections, _Server, listen

SECONDS = 20
# More than the sockets of both sides hold, and less than that.
SIZES = (5_000_000, 40_000)
EARLY = "POST /v1/pipelines HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n{}"
ANSWERS = {
    # Before the body has come, and the connection is not kept.
    "Connection: close\r\nContent-Length: {}\r\n\r\n": b"UNAUTHENTICATED",
    # What httptools takes for another protocol.
    "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: {}\r\n\r\n": b"UPGRADE_WITH_BODY",
    # No chunk begins so.
    "Transfer-Encoding: chunked\r\n\r\nZ{}\r\n": b"NOT_HTTP",
}


def answer_to(port: int, sent: bytes) -> bytes:
    """What a client reads that sends all first."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as one:
        one.sendall(sent)
        answer = b""
        while piece := one.recv(1024):
            answer += piece
        return answer


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("head", ANSWERS, ids=["close", "upgrade", "chunk"])
async def test_who_sends_all_first_reads_why_it_is_refused(
    gateway: RunningGateway, head: str, size: int
) -> None:
    sent = EARLY.format(head.format(size)).encode() + b"a" * size
    for _ in range(3):
        assert ANSWERS[head] in await asyncio.to_thread(answer_to, gateway.port, sent)


async def test_a_head_that_is_not_read_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.1)
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def app(_: Any, __: Any, send: Any) -> None:
        began.set()
        await goes_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    listening = listen("127.0.0.1", 0)
    http = _Server(
        uvicorn.Config(app, http=_connections(Waiting()), lifespan="off", log_config=None)
    )
    serving = asyncio.create_task(http.serve(sockets=[listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    async with asyncio.timeout(SECONDS):
        # The first piece that is read ends within a head.
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"a" * 500) * 40)
        await began.wait()
        ended = asyncio.Event()
        asyncio.get_running_loop().call_later(5 * server.HEAD_SECONDS, ended.set)
        await ended.wait()
        goes_on.set()
        for _ in range(40):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
        writer.close()
        http.should_exit = True
        await serving
