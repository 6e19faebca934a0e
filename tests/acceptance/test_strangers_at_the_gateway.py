"""Whatever strangers send to the gateway, it stays small, and serves those whom it knows."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import pytest

from tests.acceptance.test_strangers import (
    ATTACK_SECONDS,
    GROWTH_BYTES_MAX,
    LOOK_SECONDS,
    NEIGHBOUR_SECONDS_MAX,
    TOKEN,
    Attacked,
    bytes_of,
)
from tests.carbonline.serving.processes import line_like, process, settings_of

HEAD = "{} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n{}\r\n"
ASKED = HEAD.format("GET /v1/session", f"Authorization: Bearer {TOKEN}\r\nConnection: close\r\n")
CHUNKED = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
PIECE = b"a" * 65_536
# With so few files, a stranger can take all connections.
FILES_MAX = 600
CONNECTIONS = 900
PAUSE_SECONDS = 0.05
EARLY = "POST /v1/pipelines HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n{}"
# What is refused before it has come whole, and why.
REFUSED = {
    "Connection: close\r\nContent-Length: {}\r\n\r\n": b"UNAUTHENTICATED",
    # httptools takes the body for another protocol.
    "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: {}\r\n\r\n": b"UPGRADE_WITH_BODY",
    # No chunk begins so.
    "Transfer-Encoding: chunked\r\n\r\nZ{}\r\n": b"NOT_HTTP",
}
# Less than a read, a few, and more than the sockets of both sides hold.
BODIES = (100, 40_000, 5_000_000)

Connection: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connections(port: int, count: int) -> AsyncIterator[list[Connection]]:
    """So many, cut at the end."""
    found: list[Connection] = []
    try:
        while len(found) < count:
            found += [await asyncio.open_connection("127.0.0.1", port)]
        yield found
    finally:
        for _, writer in found:
            writer.transport.abort()


async def sent(writer: asyncio.StreamWriter, head: str, piece: bytes, pause: float = 0.0) -> None:
    """A head, and then pieces without end; returns when the gateway has closed."""
    with suppress(ConnectionError):
        writer.write(head.encode())
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)


async def on_many(port: int, count: int, head: str, piece: bytes, pause: float = 0.0) -> None:
    async with connections(port, count) as several:
        sending = [asyncio.ensure_future(sent(one, head, piece, pause)) for _, one in several]
        await asyncio.wait(sending, timeout=ATTACK_SECONDS)
        for task in sending:
            task.cancel()
        await asyncio.wait(sending)


async def heads_in_drops(port: int) -> None:
    await on_many(port, 300, "GET / HTTP/1.1\r\nX: ", b"a", PAUSE_SECONDS)


async def endless_heads(port: int) -> None:
    await on_many(port, 64, "GET / HTTP/1.1\r\nX: ", PIECE)
    await on_many(port, 64, "GET /", PIECE)


async def endless_bodies(port: int) -> None:
    chunk = b"10000\r\n" + PIECE + b"\r\n"
    for token in ("", "Authorization: Bearer nobody\r\n"):
        for path in ("/v1/session", "/v1/pipelines", "/v1/nothing"):
            await on_many(port, 32, HEAD.format(f"POST {path}", token + CHUNKED), chunk)


async def bodies_in_drops(port: int) -> None:
    head = HEAD.format("POST /v1/pipelines", CHUNKED)
    await on_many(port, CONNECTIONS, head, b"1\r\n \r\n", PAUSE_SECONDS)


async def answers_that_nobody_reads(port: int) -> None:
    await on_many(port, 64, "", HEAD.format("GET /", "").encode() * 500)


async def silent_connections(port: int) -> None:
    async with connections(port, CONNECTIONS):
        await asyncio.sleep(ATTACK_SECONDS)


ATTACKS: tuple[Callable[[int], Awaitable[None]], ...] = (
    heads_in_drops,
    endless_heads,
    endless_bodies,
    bodies_in_drops,
    answers_that_nobody_reads,
    silent_connections,
)


@pytest.fixture
async def gateway(database_url: str, tmp_path: Path) -> AsyncIterator[Attacked]:
    """A gateway before a scheduler and a ledger process that know one token."""
    (tmp_path / "token").write_text(TOKEN)
    settings = settings_of(database_url, tmp_path) | {"TOKEN_FILE": f"{tmp_path}/token"}
    line = f"ulimit -n {FILES_MAX} && exec python -m gateway_service"
    asked = {name: settings[name] for name in ("SCHEDULER_ADDRESS", "LEDGER_ADDRESS")}
    async with AsyncExitStack() as stack:
        for words in (("-m", "scheduler_service"), ("-m", "worker_service", "ledger")):
            running = await stack.enter_async_context(process(*words, **settings))
            await line_like(running, lambda said: said["event"].endswith("_started"))
        running = await stack.enter_async_context(
            process("-c", line, program="sh", GATEWAY_ADDRESS="127.0.0.1:0", **asked)
        )
        started = await line_like(running, lambda said: said["event"] == "gateway_started")
        port = urlsplit(started["url"]).port
        assert port is not None
        yield Attacked("gateway", port, running.pid, bytes_of(running.pid))


def answer_to(port: int, sent: bytes) -> bytes:
    """What a client reads that sends all first."""
    with socket.create_connection(("127.0.0.1", port), NEIGHBOUR_SECONDS_MAX) as one:
        one.sendall(sent)
        answer = b""
        while piece := one.recv(1024):
            answer += piece
        return answer


async def test_who_sends_all_first_reads_why_it_is_refused(gateway: Attacked) -> None:
    for head, why in REFUSED.items():
        for size in BODIES:
            sent = EARLY.format(head.format(size)).encode() + b"a" * size
            assert why in await asyncio.to_thread(answer_to, gateway.port, sent), (head, size)


async def serve_neighbours(port: int) -> None:
    """Ask with a token all the time, each time on a connection of its own."""
    while True:
        async with asyncio.timeout(NEIGHBOUR_SECONDS_MAX):
            async with connections(port, 1) as [(reader, writer)]:
                writer.write(ASKED.encode())
                assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        await asyncio.sleep(LOOK_SECONDS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_a_gateway_stays_small_and_serves_neighbours_whatever_strangers_send(
    gateway: Attacked, attack: Callable[[int], Awaitable[None]]
) -> None:
    looking = asyncio.create_task(gateway.look())
    neighbours = asyncio.create_task(serve_neighbours(gateway.port))
    attacking = asyncio.ensure_future(attack(gateway.port))
    await asyncio.wait({neighbours, attacking}, return_when=asyncio.FIRST_COMPLETED)
    if neighbours.done():
        neighbours.result()
    await attacking
    for task in (neighbours, looking):
        task.cancel()
    await asyncio.wait((neighbours, looking))
    assert gateway.bytes_most - gateway.bytes_at_start < GROWTH_BYTES_MAX
