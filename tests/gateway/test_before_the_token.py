"""What a gateway receives of strangers: little, and not for long."""

import asyncio
import socket
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from gateway_service import rpc_endpoint, server
from gateway_service.rpc_endpoint import BODY_BYTES_MAX, UNKNOWN_BYTES_MAX
from gateway_service.server import RunningGateway
from tests.gateway.bare_server import connected, send_nothing
from tests.gateway.conftest import Services, gateway_before
from tests.gateway.http_client import HttpClient
from worker_service.blobs.store import BLOB_BYTES_MAX

LARGE = 15 * 1024 * 1024
POST = (
    "POST {} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n{}"
    f"Content-Length: {LARGE}\r\n\r\n"
)


async def answer_to(port: int, head: str, piece: bytes = b"", pieces: int = 0) -> bytes:
    """What comes back before the request is whole; "" if the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(10):
            writer.write(head.encode())
            for _ in range(pieces):
                writer.write(piece)
                await writer.drain()
            return await reader.read(15)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def test_a_body_that_says_it_is_too_large_is_not_asked_for(gateway: RunningGateway) -> None:
    known, unknown = "Authorization: Bearer local\r\n", "Authorization: Bearer nobody\r\n"
    for path, size, token, status in (
        ("/v1/session", UNKNOWN_BYTES_MAX + 1, "", b"413"),
        ("/v1/pipelines", UNKNOWN_BYTES_MAX + 1, unknown, b"401"),
        ("/v1/pipelines", BODY_BYTES_MAX + 1, known, b"413"),
        ("/v1/pipelines", BODY_BYTES_MAX, known, b"100"),
        ("/v1/blobs", BLOB_BYTES_MAX + 1, unknown, b"401"),
        ("/v1/blobs", BLOB_BYTES_MAX + 1, known, b"413"),
        ("/v1/blobs", BLOB_BYTES_MAX, known, b"100"),
    ):
        head = POST.format(path, f"{token}Expect: 100-continue\r\n").replace(str(LARGE), str(size))
        found = await answer_to(gateway.port, head)
        assert found.split(b" ")[1:2] == [status], (path, size, token)


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/v1/session", "", b"413"),
        ("/v1/pipelines", "Authorization: Bearer nobody\r\n", b"401"),
    ],
)
async def test_a_large_body_is_not_received_of_a_stranger(
    gateway: RunningGateway, path: str, token: str, status: bytes
) -> None:
    found = await answer_to(gateway.port, POST.format(path, token), b"a" * 65_536, 16)
    assert found.split(b" ")[1:2] == [status]


async def test_a_body_has_its_time(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_endpoint, "BODY_SECONDS", 0.2)
    for path, token in (("/v1/session", ""), ("/v1/pipelines", "Authorization: Bearer local\r\n")):
        found = await answer_to(
            gateway.port, POST.format(path, token).replace(str(LARGE), "9"), b"{", 1
        )
        assert found.split(b" ")[1:2] == [b"408"], path


async def test_a_head_has_an_end(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "GET / HTTP/1.1\r\nHost: localhost\r\nX: "
    found = await answer_to(gateway.port, endless, b"a" * 33_000, 2)
    assert found.split(b" ")[1:2] == [b"431"]
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    assert await answer_to(gateway.port, endless) == b""
    # Each head of a connection, not the first alone.
    whole = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write((whole + endless).encode())
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200 ")
        with suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()


async def test_the_rest_of_a_body_has_an_end(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REST_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        async with asyncio.timeout(20):
            writer.write(POST.format("/v1/nothing", "").encode())
            assert (await reader.readline()).split(b" ")[1] == b"404"
            with suppress(ConnectionError):
                while True:
                    writer.write(b"a")
                    await writer.drain()
                    await asyncio.sleep(0.01)
    finally:
        writer.transport.abort()


async def test_a_silent_connection_gives_way_and_a_request_at_work_does_not(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 3)
    addresses = (services.scheduler_address, services.ledger_address)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(gateway_before(*addresses))
        http = HttpClient(gateway.port)
        events = await stack.enter_async_context(http.stream("/v1/events"))
        assert events.status == 200
        silent = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(2)]
        try:
            assert (await http.get("/v1/me")).status == 200
            async with asyncio.timeout(5):
                assert await silent[0][0].read(1) == b""
        finally:
            for _, writer in silent:
                writer.transport.abort()


REQUESTS = 1_000
SLOW = (
    # Its body does not come.
    POST.format("/v1/pipelines", "Authorization: Bearer local\r\n"),
    # Its answers are not taken.
    "GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50,
)


async def test_a_slow_body_or_reader_gives_way_and_a_request_at_work_does_not(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 2)
    addresses = (services.scheduler_address, services.ledger_address)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(gateway_before(*addresses))
        http = HttpClient(gateway.port)
        events = await stack.enter_async_context(http.stream("/v1/events"))
        assert events.status == 200
        for asked in SLOW:
            _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(asked.encode())
            async with asyncio.timeout(20):
                # Until it is known to be slow, there is no room.
                while (await http.get("/v1/me")).status != 200:
                    continue
            writer.transport.abort()
        lasting = await stack.enter_async_context(http.stream("/v1/events"))
        assert lasting.status == 200
        # Both places are taken by requests at work: nobody gives way to the next one.
        assert (await http.get("/v1/me")).status == 503


async def test_a_head_has_few_lines(gateway: RunningGateway) -> None:
    whole = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n{}\r\n"
    for lines, status in ((server.HEADERS_MAX - 1, b"200"), (server.HEADERS_MAX, b"431")):
        found = await answer_to(gateway.port, whole.format("a:\r\n" * lines))
        assert found.split(b" ")[1:2] == [status], lines


async def test_who_sends_a_large_head_at_once_reads_why_it_is_refused(
    gateway: RunningGateway,
) -> None:
    def answer() -> bytes:
        """What a client reads that sends all of its head first."""
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as one:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * LARGE)
            return one.recv(1024)

    assert (await asyncio.to_thread(answer)).startswith(b"HTTP/1.1 431 ")


async def test_a_head_that_is_not_read_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.1)
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def app(_: Any, __: Any, send: Any) -> None:
        began.set()
        await goes_on.wait()
        await send_nothing(send)

    async with connected(app) as (_, reader, writer):
        # The first piece that is read ends within a head.
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"a" * 500) * 40)
        await began.wait()
        asyncio.get_running_loop().call_later(5 * server.HEAD_SECONDS, goes_on.set)
        for _ in range(40):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")


async def test_requests_that_come_at_once_are_answered_in_turn(gateway: RunningGateway) -> None:
    asked = b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = asked.replace(b"HTTP/1.1", b"HTTP/1.1\r\nConnection: close")
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    async with asyncio.timeout(30):
        writer.write(asked * (REQUESTS - 1) + last)
        assert (await reader.read()).count(b"HTTP/1.1 404") == REQUESTS
    writer.transport.abort()


async def test_what_comes_behind_a_request_that_waits_is_not_parsed() -> None:
    """A connection of 256 KiB of requests took ten megabytes, two hundred of them two gigabytes."""
    goes_on = asyncio.Event()

    async def app(_: Any, __: Any, send: Any) -> None:
        await goes_on.wait()
        await send_nothing(send)

    async with connected(app) as (gateway, reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (b"a:\r\n" * 78) * REQUESTS)
        connections = gateway.server_state.connections
        while not any(one.flow.read_paused for one in connections):  # noqa: ASYNC110
            await asyncio.sleep(0)
        [connection] = connections
        assert len(connection.pipeline) == 1
        goes_on.set()
        for _ in range(REQUESTS):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")


async def test_who_leaves_is_heard_of_although_a_request_waits_behind() -> None:
    began, left = asyncio.Event(), asyncio.Event()

    async def app(_: Any, receive: Any, __: Any) -> None:
        began.set()
        while (await receive())["type"] != "http.disconnect":
            continue
        left.set()

    async with connected(app) as (gateway, _, writer):
        asked = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        writer.write(asked)
        await began.wait()
        [connection] = gateway.server_state.connections
        writer.write(asked)
        while not connection.pipeline:  # noqa: ASYNC110
            await asyncio.sleep(0)
        writer.transport.abort()
        await left.wait()


async def test_what_begins_no_request_gives_a_connection_no_more_time(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    asked = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    refused = POST.format("/v1/pipelines", "").replace(str(LARGE), "10")
    for head, then in ((asked, b"\r\n"), (asked, b"GE"), (refused, b"a" * 10)):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        async with asyncio.timeout(10):
            writer.write(head.encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
            writer.write(then)
            with suppress(ConnectionError):
                await reader.read()
        writer.transport.abort()


async def test_a_large_head_that_comes_whole_is_refused(gateway: RunningGateway) -> None:
    whole = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n"
    for size, status in ((32_000, b"200"), (33_000, b"431"), (48_000, b"431")):
        found = await answer_to(gateway.port, whole.format("a" * size))
        assert found.split(b" ")[1:2] == [status], size
