"""Whatever strangers send, a server stays small, and serves those whom it knows."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from carbonline.serving.declared_settings import CLIENT_CONNECTIONS
from carbonline.serving.listening import METADATA_BYTES_MAX, STREAM_BYTES
from carbonline.v1 import (
    blobs_pb2,
    ledger_pb2,
    ledger_pb2_grpc,
    operations_pb2,
    operations_pb2_grpc,
    scheduler_pb2,
)
from tests.carbonline.serving.certificates import Authority
from tests.carbonline.serving.heaps import heaps_of_threads
from tests.carbonline.serving.processes import line_like, process, settings_of
from tests.carbonline.serving.strangers import (
    CANCEL,
    NO_ANSWERS,
    RST_STREAM,
    SETTINGS,
    Stranger,
    bomb,
    frame,
    framed,
    large_headers,
    stranger,
    tls_of_a_stranger,
)

MEBIBYTE = 1 << 20
LARGEST = 16 * MEBIBYTE
GROWTH_BYTES_MAX = 300 * 1000 * 1000
LOOK_SECONDS = 0.02
# Of two cores, strangers and the test take one, and thousands may stand before a neighbour in line.
NEIGHBOUR_SECONDS_MAX = 15.0
ATTACK_SECONDS = 2.0
CALLS_OF_A_CONNECTION = 6
TOKEN = "a-secret"
CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
FILE_OF_A_SYMBOL = framed(b"\x22\x15grpc.health.v1.Health")
METHODS: Mapping[str, str] = {
    "scheduler": "/carbonline.v1.SchedulerService/BatchFinish",
    "ledger": "/carbonline.v1.BlobService/UploadBlob",
}
NEIGHBOURS: Mapping[str, str] = {
    "scheduler": "/carbonline.v1.OperationsService/ListWorkers",
    "ledger": "/carbonline.v1.LedgerService/ListUploads",
}
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "scheduler": ("-m", "scheduler_service"),
    "ledger": ("-m", "worker_service", "ledger"),
}
# 16 MiB of empty items, and a message that never ends.
EMPTY_ITEMS = b"\x0a\x00" * (LARGEST // 2)
ENDLESS = framed(EMPTY_ITEMS[:-16], LARGEST)
# As much of a message as a stream may send before somebody reads it.
UNFINISHED = ENDLESS[: 64 * 1024]


@dataclass
class Attacked:
    """A server on a port, and how large it was when it began to serve."""

    name: str
    port: int
    pid: int
    bytes_at_start: int
    bytes_most: int = 0
    tls: grpc.ChannelCredentials | None = None

    async def look(self) -> None:
        while True:
            self.bytes_most = max(self.bytes_most, bytes_of(self.pid))
            await asyncio.sleep(LOOK_SECONDS)

    def _channel(self) -> grpc.aio.Channel:
        if self.tls is None:
            return grpc.aio.insecure_channel(f"127.0.0.1:{self.port}")
        return grpc.aio.secure_channel(f"localhost:{self.port}", self.tls)

    async def serve_one(self) -> None:
        """Call with a token. All wait in one line: with the answer, those before are out of it."""
        call = _call_of_a_neighbour(self.name)
        async with self._channel() as channel:
            await _answered(lambda: call(channel, (("authorization", f"Bearer {TOKEN}"),)))

    async def serve_neighbours(self) -> None:
        """Call with a token all the time; each call must be answered soon."""
        call = _call_of_a_neighbour(self.name)
        metadata = (("authorization", f"Bearer {TOKEN}"),)
        async with self._channel() as channel:
            health = health_pb2_grpc.HealthStub(channel)
            alive = health_pb2.HealthCheckRequest(service="liveness")
            while True:
                for ask in (
                    lambda: call(channel, metadata),
                    lambda: health.Check(alive, metadata=metadata),
                ):
                    await _answered(ask)
                await asyncio.sleep(LOOK_SECONDS)


async def _answered(ask: Callable[[], Awaitable[Any]]) -> None:
    """Who finds the line full is cancelled, and calls again, as clients do."""
    async with asyncio.timeout(NEIGHBOUR_SECONDS_MAX):
        while True:
            try:
                await ask()
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.CANCELLED:
                    raise
            else:
                return
            await asyncio.sleep(LOOK_SECONDS)


def bytes_of(pid: int) -> int:
    """What a process holds of the machine's memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _files_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _methods_of(name: str) -> list[str]:
    files = {"scheduler": (operations_pb2, scheduler_pb2), "ledger": (ledger_pb2, blobs_pb2)}
    return [
        f"/{service.full_name}/{method.name}"
        for file in files[name]
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def _call_of_a_neighbour(name: str) -> Callable[[grpc.aio.Channel, Any], Awaitable[Any]]:
    def call(channel: grpc.aio.Channel, metadata: Any) -> Any:
        stub: Any
        if name == "scheduler":
            stub = operations_pb2_grpc.OperationsServiceStub(channel)
            return stub.ListWorkers(operations_pb2.ListWorkersRequest(), metadata=metadata)
        stub = ledger_pb2_grpc.LedgerServiceStub(channel)
        return stub.ListUploads(ledger_pb2.ListUploadsRequest(year=2024), metadata=metadata)

    return call


async def send_on_streams(
    attacked: Attacked, method: str, data: bytes, streams: int, *more: tuple[bytes, bytes]
) -> None:
    """As much as the server takes, on many streams of several connections at once."""
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(stranger(attacked.port)) for _ in range(4)]
        sending = []
        for one in connections:
            for number in range(streams):
                one.begin(2 * number + 1, method, *more)
                sending.append(asyncio.ensure_future(one.send(2 * number + 1, data)))
        await asyncio.wait(sending, timeout=ATTACK_SECONDS)
        for task in sending:
            task.cancel()


async def endless_messages(attacked: Attacked) -> None:
    await send_on_streams(attacked, METHODS[attacked.name], ENDLESS, 100)


async def a_thousand_streams(attacked: Attacked) -> None:
    await send_on_streams(attacked, METHODS[attacked.name], ENDLESS[:MEBIBYTE], 1_000)


async def unfinished_calls(attacked: Attacked) -> None:
    """Of the methods that neighbours call, too: known or not, all callers of one wait in a line."""
    for method in (CHECK, NEIGHBOURS[attacked.name], METHODS[attacked.name]):
        async with AsyncExitStack() as stack:
            several = [await stack.enter_async_context(stranger(attacked.port)) for _ in range(64)]
            sending = []
            for one in several:
                for stream in range(1, 240, 2):
                    one.begin(stream, method)
                    sending.append(asyncio.ensure_future(one.send(stream, UNFINISHED)))
            await asyncio.wait(sending, timeout=ATTACK_SECONDS)
            await asyncio.sleep(ATTACK_SECONDS)
            for task in sending:
                task.cancel()
            await asyncio.wait(sending)
            _ = [one.cancelled() or one.exception() for one in sending]
        await attacked.serve_one()


async def empty_items(attacked: Attacked) -> None:
    await send_on_streams(attacked, METHODS[attacked.name], framed(EMPTY_ITEMS), 4)


async def endless_health_checks(attacked: Attacked) -> None:
    await send_on_streams(attacked, CHECK, ENDLESS, 100)


async def endless_health_watches(attacked: Attacked) -> None:
    await send_on_streams(attacked, WATCH, ENDLESS, 100)


async def endless_reflection(attacked: Attacked) -> None:
    await send_on_streams(attacked, REFLECTION, ENDLESS, 100)


async def compressed_bombs(attacked: Attacked) -> None:
    packed = framed(await asyncio.to_thread(bomb, 256 * MEBIBYTE), compressed=True)
    for method in (METHODS[attacked.name], CHECK, REFLECTION):
        await send_on_streams(attacked, method, packed, 10, (b"grpc-encoding", b"gzip"))


async def answers_that_nobody_reads(attacked: Attacked) -> None:
    async with AsyncExitStack() as stack:
        for method, question in ((REFLECTION, FILE_OF_A_SYMBOL * 40), (WATCH, framed(b""))):
            for _ in range(2):
                one = await stack.enter_async_context(stranger(attacked.port, NO_ANSWERS))
                for stream in range(1, 1_000, 2):
                    one.begin(stream, method)
                    one.write(frame(0, 0, stream, question))
                with suppress(ConnectionError):
                    await one.drain()
        await asyncio.sleep(ATTACK_SECONDS)


async def calls_that_are_cancelled_at_once(attacked: Attacked) -> None:
    async with stranger(attacked.port) as one:
        with suppress(ConnectionError):
            for stream in range(1, 60_000, 2):
                one.begin(stream, METHODS[attacked.name])
                one.write(frame(RST_STREAM, 0, stream, CANCEL))
                await one.drain()
        await _settled(one)


async def large_headers_of_calls(attacked: Attacked) -> None:
    for size in (METADATA_BYTES_MAX - 1_000, 4 * MEBIBYTE):
        async with stranger(attacked.port) as one:
            with suppress(ConnectionError):
                for stream in range(1, 400 if size < MEBIBYTE else 20, 2):
                    one.write(large_headers(stream, METHODS[attacked.name], size))
                    await one.drain()
            await _settled(one)


async def large_headers_of_all_methods(attacked: Attacked) -> None:
    methods = [CHECK, WATCH, REFLECTION, "/nobody/knows", *_methods_of(attacked.name)]
    async with AsyncExitStack() as stack:
        several = [await stack.enter_async_context(stranger(attacked.port)) for _ in range(200)]

        async def flood(one: Stranger) -> None:
            with suppress(ConnectionError):
                for number in range(200):
                    method = methods[number % len(methods)]
                    one.write(large_headers(2 * number + 1, method, METADATA_BYTES_MAX - 1_000))
                    await one.drain()

        await asyncio.gather(*map(flood, several))
        await asyncio.sleep(ATTACK_SECONDS)


async def many_connections(attacked: Attacked) -> None:
    writers = []
    try:
        for _ in range(CLIENT_CONNECTIONS + 500):
            _, writer = await asyncio.open_connection("127.0.0.1", attacked.port)
            writers.append(writer)
        await asyncio.sleep(ATTACK_SECONDS)
        assert _files_of(attacked.pid) < CLIENT_CONNECTIONS + 200
    finally:
        for writer in writers:
            writer.transport.abort()


async def calls_of_all_connections(attacked: Attacked) -> None:
    """Over TLS, which takes more. Some of the connections are those of neighbours."""
    methods = [CHECK, WATCH, REFLECTION, *_methods_of(attacked.name)]
    more = (b"x-large", b"a" * (METADATA_BYTES_MAX - 1_000))
    tls = tls_of_a_stranger()
    async with AsyncExitStack() as stack:
        several = [
            await stack.enter_async_context(stranger(attacked.port, tls=tls))
            for _ in range(CLIENT_CONNECTIONS - 10)
        ]
        # The headers of a round come while the calls of the one before are refused.
        for call in range(CALLS_OF_A_CONNECTION):
            for number, one in enumerate(several):
                one.begin(2 * call + 1, methods[(number + call) % len(methods)], more)
                one.write(frame(0, 0, 2 * call + 1, UNFINISHED[: STREAM_BYTES - 1_000]))
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(ATTACK_SECONDS)


async def _settled(one: Stranger) -> None:
    """The server has answered what it got, or closed the connection."""
    with suppress(ConnectionError):
        one.write(frame(SETTINGS, 0, 0))
        await one.drain()
    await asyncio.sleep(ATTACK_SECONDS)


ATTACKS: tuple[Callable[[Attacked], Awaitable[None]], ...] = (
    endless_messages,
    a_thousand_streams,
    unfinished_calls,
    empty_items,
    endless_health_checks,
    endless_health_watches,
    endless_reflection,
    compressed_bombs,
    answers_that_nobody_reads,
    calls_that_are_cancelled_at_once,
    large_headers_of_calls,
    large_headers_of_all_methods,
    many_connections,
)


@asynccontextmanager
async def attackable(
    name: str, database_url: str, folder: Path, **more: str
) -> AsyncIterator[Attacked]:
    """A process on a port that knows one token."""
    (folder / "token").write_text(TOKEN)
    settings = settings_of(database_url, folder) | {
        "SCHEDULER_ADDRESS": "127.0.0.1:0",
        "LEDGER_ADDRESS": "127.0.0.1:0",
        "TOKEN_FILE": f"{folder}/token",
        **more,
    }
    async with process(*PROGRAMS[name], **settings) as running:
        started = await line_like(running, lambda line: line["event"].endswith("_started"))
        yield Attacked(name, started["port"], running.pid, bytes_of(running.pid))


@pytest.fixture(params=["scheduler", "ledger"])
async def attacked(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[Attacked]:
    """Without TLS."""
    async with attackable(request.param, database_url, tmp_path) as one:
        yield one


async def test_a_server_stays_small_and_serves_neighbours_whatever_strangers_send(
    attacked: Attacked,
) -> None:
    looking = asyncio.create_task(attacked.look())
    grown: dict[str, int] = {}
    for attack in ATTACKS:
        await _attack(attacked, attack)
        grown[attack.__name__] = attacked.bytes_most - attacked.bytes_at_start
        assert grown[attack.__name__] < GROWTH_BYTES_MAX, grown
    looking.cancel()


async def test_a_server_over_tls_stays_small_whatever_all_of_its_connections_send(
    database_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    tls = authority.server()
    files = {"TLS_CERT_FILE": str(tls.certificate), "TLS_KEY_FILE": str(tls.key)}
    async with attackable("scheduler", database_url, tmp_path, **files) as attacked:
        attacked.tls = grpc.ssl_channel_credentials(authority.ca.read_bytes())
        looking = asyncio.create_task(attacked.look())
        await _attack(attacked, calls_of_all_connections)
        looking.cancel()
    assert attacked.bytes_most - attacked.bytes_at_start < GROWTH_BYTES_MAX


async def _attack(attacked: Attacked, attack: Callable[[Attacked], Awaitable[None]]) -> None:
    neighbours = asyncio.create_task(attacked.serve_neighbours())
    attacking = asyncio.ensure_future(attack(attacked))
    await asyncio.wait({neighbours, attacking}, return_when=asyncio.FIRST_COMPLETED)
    if neighbours.done():
        neighbours.result()
    await attacking
    neighbours.cancel()
    await attacked.serve_one()
    # Of what one heap of many has free, calls of other threads take nothing.
    assert heaps_of_threads(attacked.pid) == 0
