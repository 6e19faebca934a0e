"""A pipeline's events over HTTP: resumed at every version, and never held for who has gone."""

import asyncio
import signal
import sys
from asyncio import create_subprocess_exec as started
from collections.abc import Callable
from contextlib import AsyncExitStack
from itertools import product

import pytest

from carbonline.v1 import types_pb2
from gateway_service.access.limits import STREAMS_OF_CALLER_MAX
from gateway_service.access.networks import networks_of
from gateway_service.server import RunningGateway
from tests.gateway.conftest import Services, gateway_before
from tests.gateway.http_client import Event, HttpClient
from tests.scheduler_service.rpc.conftest import Client

LOCAL = types_pb2.Scope(tenant="local")
SECONDS_MAX = 10.0
READERS = 20


async def until(holds: Callable[[], bool], seconds: float = SECONDS_MAX) -> None:
    """Looks until it holds; TimeoutError after the given time."""
    async with asyncio.timeout(seconds):
        # What a server counts tells nobody.
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def until_ready(http: HttpClient) -> None:
    """Returns once the gateway reaches its services."""
    async with asyncio.timeout(20):
        # Its channel tries again by itself, after a pause.
        while (await http.get("/readyz")).status != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def streams_of(gateway: RunningGateway) -> int:
    return int(gateway.metrics.registry.get_sample_value("carbonline_gateway_streams") or 0)


async def all_events(http: HttpClient, path: str, **headers: str) -> list[Event]:
    async with http.stream(path, **headers) as stream:
        assert (stream.status, stream.headers["content-type"]) == (
            200,
            "text/event-stream; charset=utf-8",
        )
        return [event async for event in stream.events() if event.name != ":"]


async def test_a_pipeline_is_told_until_its_end(http: HttpClient, driver: Client) -> None:
    number = (await driver.submit("noop", LOCAL)).pipeline_id
    path = f"/v1/pipelines/{number}/events"
    async with http.stream(path) as stream:
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["cache-control"] == "no-store, no-transform"
        events = stream.events()
        assert (await anext(events)).data.keys() == {"retry"}
        first = await anext(events)
        assert (first.name, first.data["pipeline"]["pipeline_id"]) == ("snapshot", str(number))
        (job,) = await driver.claim("noop")
        await driver.finish(job)
        rest = [event async for event in events if event.name != ":"]
    last = rest[-1]
    assert (last.name, last.data["pipeline"]["status"]) == ("final", "PIPELINE_STATUS_SUCCESS")
    assert [event.number for event in rest if event.name == "activity"] in ([], [""], ["", ""])
    versions = [int(event.number) for event in (first, *rest) if event.number]
    assert versions == sorted(versions)


async def test_a_stream_resumes_at_every_version(http: HttpClient, driver: Client) -> None:
    number = (await driver.submit("noop", LOCAL)).pipeline_id
    (job,) = await driver.claim("noop")
    await driver.finish(job)
    path = f"/v1/pipelines/{number}/events"
    events = await all_events(http, path)
    end = events[-1]
    for version in range(1, int(end.number)):
        resumed = await all_events(http, path, last_event_id=str(version))
        assert all(int(event.number) > version for event in resumed if event.number)
        assert resumed[-1] == end
    async with http.stream(path, last_event_id=end.number) as stream:
        # Which tells a browser not to come back.
        assert stream.status == 204


@pytest.mark.parametrize(
    ("path", "headers", "status", "reason"),
    [
        ("/v1/pipelines/99/events", {}, 404, "PIPELINE_NOT_FOUND"),
        ("/v1/pipelines/1/events", {"authorization": "Bearer elsewhere"}, 403, "OTHER_TENANT"),
        ("/v1/pipelines/1/events", {"authorization": "Bearer nobody"}, 401, "UNAUTHENTICATED"),
        ("/v1/pipelines/x/events", {}, 400, "FIELD_INVALID"),
        ("/v1/pipelines/1/events", {"last_event_id": "-1"}, 400, "FIELD_INVALID"),
        ("/v1/pipelines/1/events", {"last_event_id": "9" * 30}, 400, "FIELD_INVALID"),
    ],
)
async def test_a_refusal_comes_in_place_of_the_stream(
    gateway: RunningGateway,
    http: HttpClient,
    driver: Client,
    path: str,
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    await driver.submit("noop", LOCAL)
    answer = await http.get(path, **headers)
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert streams_of(gateway) == 0


async def test_one_caller_has_so_many_streams_and_others_have_theirs(
    gateway: RunningGateway, driver: Client
) -> None:
    path = f"/v1/pipelines/{(await driver.submit('noop', LOCAL)).pipeline_id}/events"
    # Two tokens of one caller.
    two = [HttpClient(gateway.port, token) for token in ("local", "local@local")]
    open_ones = [two[number % 2].stream(path) for number in range(STREAMS_OF_CALLER_MAX)]
    for one in open_ones:
        assert (await one.__aenter__()).status == 200
    try:
        for http, asked in product(two, (path, "/v1/events")):
            async with http.stream(asked) as refused:
                assert (refused.status, refused.headers["retry-after"]) == (429, "5")
        # Another name, and the same name of another tenant.
        for token, asked in (("ann@local", path), ("local@elsewhere", "/v1/events")):
            async with HttpClient(gateway.port, token).stream(asked) as other:
                assert other.status == 200
    finally:
        for one in open_ones:
            await one.__aexit__(None, None, None)
    await until(lambda: streams_of(gateway) == 0)


async def test_one_address_behind_a_proxy_has_so_many_streams_and_others_have_theirs(
    services: Services, driver: Client
) -> None:
    path = f"/v1/pipelines/{(await driver.submit('noop', LOCAL)).pipeline_id}/events"
    addresses = (services.scheduler_address, services.ledger_address)
    known = networks_of("127.0.0.1, 10.0.0.0/8")
    async with gateway_before(*addresses, proxies=known, streams_of_address_max=1) as gateway:
        http = HttpClient(gateway.port)
        # What the caller itself wrote stands before what the proxies wrote.
        theirs = {"x-forwarded-for": "203.0.113.9, 198.51.100.7, 10.1.2.3"}
        async with http.stream(path, **theirs) as first:
            assert first.status == 200
            other = {"x-forwarded-for": "203.0.113.8, 198.51.100.7"}
            async with http.stream(path, **other) as refused:
                assert (refused.status, refused.headers["retry-after"]) == (429, "5")
            for word in ("198.51.100.8", "2001:db8::1", "unknown", ""):
                async with http.stream(path, **{"x-forwarded-for": word}) as one:
                    assert one.status == 200, word
        await until(lambda: streams_of(gateway) == 0)
        async with http.stream(path, **theirs) as again:
            assert again.status == 200


@pytest.mark.parametrize("path", ["/v1/pipelines/{}/events", "/v1/events"])
async def test_readers_that_are_killed_free_the_scheduler_within_a_second(
    gateway: RunningGateway, services: Services, driver: Client, path: str
) -> None:
    path = path.format((await driver.submit("noop", LOCAL)).pipeline_id)
    reader = (
        "import socket,sys\n"
        f"s = socket.create_connection(('127.0.0.1', {gateway.port}))\n"
        f"s.sendall(b'GET {path} HTTP/1.1\\r\\nhost: 127.0.0.1\\r\\n"
        "authorization: Bearer local\\r\\n\\r\\n')\n"
        "while s.recv(9999): pass\n"
    )
    readers = [await started(sys.executable, "-S", "-c", reader) for _ in range(READERS)]
    # Whoever watches all has the same rights: one stream of the scheduler serves them.
    watches = 1 if path == "/v1/events" else READERS
    try:
        await until(lambda: streams_of(gateway) == READERS)
        await until(lambda: services.scheduler.watches.streams == watches)
        for one in readers:
            one.send_signal(signal.SIGKILL)
    finally:
        for one in readers:
            await one.wait()
    await until(lambda: streams_of(gateway) == services.scheduler.watches.streams == 0, 1.0)


async def test_a_gateway_drains_within_three_seconds_and_ends_its_streams(
    services: Services, driver: Client
) -> None:
    number = (await driver.submit("noop", LOCAL)).pipeline_id
    loop = asyncio.get_running_loop()
    paths = [f"/v1/pipelines/{number}/events", "/v1/events"] * (STREAMS_OF_CALLER_MAX // 2)
    addresses = (services.scheduler_address, services.ledger_address)
    async with AsyncExitStack() as open_ones:
        async with gateway_before(*addresses) as running:
            http = HttpClient(running.port)
            streams = [await open_ones.enter_async_context(http.stream(path)) for path in paths]
            readers = [stream.events() for stream in streams]
            for events in readers:
                assert (await anext(events)).name == ":"
            began = loop.time()
        assert loop.time() - began < 3.0
        for events in readers:
            # Its last chunk has come: it has ended, and was not cut.
            last = [event async for event in events][-1]
            assert last.name in (":", "snapshot", "activity", "update")
        await until(lambda: services.scheduler.watches.streams == 0)
