"""Streams under faults: a reader that stopped, a scheduler that restarts, and many at once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from carbonline.serving.logs import open_log
from carbonline.v1 import types_pb2
from gateway_service import server
from gateway_service.port import listen
from gateway_service.streams import console_events, sse
from scheduler_service.server import running_server
from tests.gateway.conftest import Services, gateway_before, scheduler_settings
from tests.gateway.http_client import Event, HttpClient
from tests.gateway.test_console_events import next_update
from tests.gateway.test_streams import all_events, streams_of, until, until_ready
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

LOCAL = types_pb2.Scope(tenant="local")
BUFFER_BYTES = 4096
# Their rows are more than the buffers of a connection and of its server together.
PIPELINES = 150
VIEWERS = 500
WINDOW_SECONDS = 3.0


def with_small_buffers(host: str, port: int) -> list[socket.socket]:
    """What the gateway listens on; its connections hold little that is not read."""
    listening = listen(host, port)
    listening[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return listening


async def test_a_reader_that_stopped_is_let_go_and_one_that_reads_is_not(
    services: Services, driver: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "listen", with_small_buffers)
    monkeypatch.setattr(console_events, "KEEPALIVE_SECONDS", 0.05)
    monkeypatch.setattr(sse, "SEND_SECONDS_MAX", 1.0)
    for _ in range(PIPELINES):
        await driver.submit("noop", LOCAL)
    addresses = (services.scheduler_address, services.ledger_address)
    async with (
        gateway_before(*addresses) as gateway,
        HttpClient(gateway.port).stream("/v1/events") as reading,
    ):
        events = reading.events()
        await next_update(events)
        reader = asyncio.create_task(_read(events))
        stopped = socket.socket()
        stopped.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        stopped.connect(("127.0.0.1", gateway.port))
        stopped.sendall(
            b"GET /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer local\r\n\r\n"
        )
        with stopped:
            await until(lambda: streams_of(gateway) == 2)
            await until(lambda: streams_of(gateway) == 1)
            assert not reader.done()
        reader.cancel()


async def _read(events: AsyncIterator[Event]) -> None:
    async for _ in events:
        pass


async def test_a_stream_ends_with_its_scheduler_and_resumes_at_the_next(
    services: Services, driver: Client, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    own = scheduler_settings(database_url, tmp_path / "own")
    log = open_log("error")
    path = f"/v1/pipelines/{(await driver.submit('noop', LOCAL)).pipeline_id}/events"
    async with gateway_before(own.address, services.ledger_address) as gateway:
        http = HttpClient(gateway.port)
        async with AsyncExitStack() as scheduler:
            await scheduler.enter_async_context(running_server(own, log, ByTenantToken()))
            async with http.stream(path) as stream:
                events = stream.events()
                while (first := await anext(events)).name != "snapshot":
                    pass
                await scheduler.aclose()
                # The answer is whole: it has its last chunk, and the browser comes back.
                rest = [event async for event in events if event.name != ":"]
                assert rest in ([], [first])
        (job,) = await driver.claim("noop")
        await driver.finish(job)
        async with running_server(own, log, ByTenantToken()):
            await until_ready(http)
            resumed = await all_events(http, path, last_event_id=first.number)
    assert all(int(event.number) > int(first.number) for event in resumed if event.number)
    assert resumed[-1].data["pipeline"]["status"] == "PIPELINE_STATUS_SUCCESS"


async def test_five_hundred_viewers_cost_the_scheduler_what_one_does(
    services: Services, driver: Client
) -> None:
    addresses = (services.scheduler_address, services.ledger_address)
    async with gateway_before(*addresses) as gateway, AsyncExitStack() as viewers:
        alone = 0.0
        for number in range(VIEWERS):
            # Each with a token of its own.
            http = HttpClient(gateway.port, f"viewer{number}@local")
            stream = await viewers.enter_async_context(http.stream("/v1/events"))
            if not number:
                await next_update(stream.events())
                alone = await _calls(services, driver)
        await until(lambda: streams_of(gateway) == VIEWERS)
        assert await _calls(services, driver) <= alone + 4


async def _calls(services: Services, driver: Client) -> float:
    """How many calls of the scheduler end within the window, in which a pipeline begins."""
    before = _ended(services)
    await driver.submit("noop", LOCAL)
    await asyncio.sleep(WINDOW_SECONDS)
    return _ended(services) - before


def _ended(services: Services) -> float:
    metrics = services.scheduler.metrics.registry.collect()
    samples = [one for metric in metrics for one in metric.samples]
    return sum(s.value for s in samples if s.name == "carbonline_scheduler_rpc_calls_total")
