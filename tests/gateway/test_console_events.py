"""GET /v1/events: one stream serves all, rows are states, and who is slow gets the newest."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from carbonline.serving.logs import open_log
from carbonline.v1 import types_pb2
from gateway_service.console.page import STATIC
from gateway_service.server import RunningGateway
from gateway_service.services import Services as Called
from gateway_service.streams import console_events, follow
from gateway_service.streams.follow import Follower
from gateway_service.streams.hub import Hub
from gateway_service.streams.rows import Key, Row
from scheduler_service.rpc import tenant_feed, tenant_watches
from scheduler_service.server import running_server
from tests.gateway.conftest import Services, gateway_before, scheduler_settings
from tests.gateway.http_client import SECONDS_MAX, Event, HttpClient
from tests.gateway.test_streams import until_ready
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

EVENTS = "/v1/events"
STREAM_JS = STATIC / "stream.js"
VIEWERS = 20
LOCAL = types_pb2.Scope(tenant="local")


async def next_event(events: AsyncIterator[Event]) -> Event:
    """The next event that tells something: no keepalive, and not when to come back."""
    async for event in events:
        if event.name not in (":", "alive"):
            return event
    raise AssertionError("the stream ended")


async def next_update(events: AsyncIterator[Event]) -> Event:
    """The next event that brings rows."""
    while (event := await next_event(events)).name != "update":
        pass
    return event


def pipelines_of(event: Event) -> dict[str, str]:
    return {row["pipeline_id"]: row["status"] for row in event.data["pipelines"]}


async def test_a_viewer_is_told_the_time_then_everything_then_what_changes(
    http: HttpClient, driver: Client
) -> None:
    first = (await driver.submit("noop", LOCAL)).pipeline_id
    async with http.stream(EVENTS) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store, no-transform"
        events = stream.events()
        hello = await next_event(events)
        assert hello.name == "hello"
        assert hello.data["build"] == "test"
        whole = await next_event(events)
        assert whole.data["whole"] is True
        assert set(pipelines_of(whole)) == {str(first)}
        assert [job["state"] for job in whole.data["jobs"]] == ["JOB_STATE_QUEUED"]
        second = (await driver.submit("noop", LOCAL)).pipeline_id
        news = await next_event(events)
        assert news.data["whole"] is False
        assert set(pipelines_of(news)) == {str(second)}


async def test_a_stream_with_nothing_to_tell_says_so_as_an_event(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Browsers hide comments from pages: the console would take the stream for dead."""
    taken_for_dead = re.search(
        r"^const SILENT_MS_MAX = (\d+);", STREAM_JS.read_text(), re.MULTILINE
    )
    assert taken_for_dead
    assert int(taken_for_dead[1]) > 2 * console_events.KEEPALIVE_SECONDS * 1000
    monkeypatch.setattr(console_events, "KEEPALIVE_SECONDS", 0.05)
    async with http.stream(EVENTS) as stream, asyncio.timeout(SECONDS_MAX):
        async for event in stream.events():
            if event.name == "alive":
                break


async def test_one_stream_serves_all_viewers(
    http: HttpClient, driver: Client, gateway: RunningGateway
) -> None:
    async with AsyncExitStack() as open_streams:
        streams = [
            (await open_streams.enter_async_context(http.stream(EVENTS))).events()
            for _ in range(VIEWERS)
        ]
        for events in streams:
            await next_update(events)
        before = gateway.metrics.looks._value.get()
        pipeline = (await driver.submit("noop", LOCAL)).pipeline_id
        for events in streams:
            assert str(pipeline) in pipelines_of(await next_update(events))
        assert gateway.metrics.looks._value.get() - before < VIEWERS


async def test_the_end_of_a_job_is_told_with_its_pipeline(http: HttpClient, driver: Client) -> None:
    await driver.submit("noop", LOCAL)
    async with http.stream(EVENTS) as stream:
        events = stream.events()
        await next_update(events)
        [job] = await driver.claim("noop")
        await driver.finish(job)
        states: dict[str, str] = {}
        while "JOB_STATE_FINISHED" not in states.values():
            update = await next_update(events)
            states.update({row["job_id"]: row["state"] for row in update.data["jobs"]})


async def test_another_tenants_rows_are_not_told(http: HttpClient, driver: Client) -> None:
    await driver.submit("noop", LOCAL)
    stranger = HttpClient(http.port, "other")
    async with stranger.stream(EVENTS) as stream:
        assert pipelines_of(await next_update(stream.events())) == {}


async def test_who_has_no_token_is_told_so_before_the_first_byte(http: HttpClient) -> None:
    answer = await HttpClient(http.port, "").get(EVENTS)
    assert answer.status == 401
    assert answer.json["reason"] == "UNAUTHENTICATED"


async def test_a_stream_ends_with_its_scheduler_and_the_next_brings_what_came_meanwhile(
    services: Services, driver: Client, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    own = scheduler_settings(database_url, tmp_path / "own")
    pipeline = str((await driver.submit("noop", LOCAL)).pipeline_id)
    async with (
        AsyncExitStack() as scheduler,
        gateway_before(own.address, services.ledger_address) as gateway,
    ):
        http = HttpClient(gateway.port)
        await scheduler.enter_async_context(running_server(own, open_log("error"), ByTenantToken()))
        async with http.stream(EVENTS) as stream:
            events = stream.events()
            told = pipelines_of(await next_update(events))
            assert told == {pipeline: "PIPELINE_STATUS_NOT_STARTED"}
            await scheduler.aclose()
            async for _ in events:
                pass
        answer = await http.get(EVENTS)
        assert answer.status == 503
        (job,) = await driver.claim("noop")
        await driver.finish(job)
        await scheduler.enter_async_context(running_server(own, open_log("error"), ByTenantToken()))
        await until_ready(http)
        async with http.stream(EVENTS) as stream:
            first = await next_update(stream.events())
    assert first.data["whole"]
    assert pipelines_of(first) == {pipeline: "PIPELINE_STATUS_SUCCESS"}


async def test_the_first_claim_of_a_pipeline_is_told(http: HttpClient, driver: Client) -> None:
    pipeline = str((await driver.submit("noop", LOCAL)).pipeline_id)
    async with http.stream(EVENTS) as stream:
        events = stream.events()
        assert pipelines_of(await next_update(events)) == {pipeline: "PIPELINE_STATUS_NOT_STARTED"}
        # It changes the status, and not the version.
        await driver.claim("noop")
        told: dict[str, str] = {}
        async with asyncio.timeout(SECONDS_MAX):
            while told.get(pipeline) != "PIPELINE_STATUS_RUNNING":
                told.update(pipelines_of(await next_update(events)))


async def test_the_end_of_a_pipeline_is_told_however_many_newer_ones_there_are(
    services: Services, driver: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "PIPELINES_MAX", 3)
    pipelines = [(await driver.submit("noop", LOCAL)).pipeline_id for _ in range(5)]
    for job in await driver.claim("noop", max_jobs=5):
        await driver.finish(job)
    called = Called(services.scheduler_address, services.ledger_address)
    rounds: asyncio.Queue[dict[Key, Row]] = asyncio.Queue()
    # The stream before this one has told of it as live.
    live = {pipelines[0]: (0, 0)}

    def take(rows: Mapping[Key, Row], *, whole: bool, more_live: bool) -> None:
        assert (whole, more_live) == (True, False)
        rounds.put_nowait(dict(rows))

    follower = Follower(called, "local", live, take)
    following = asyncio.create_task(follower.run())
    try:
        async with asyncio.timeout(SECONDS_MAX):
            rows = await rounds.get()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await called.close()
    told = {
        row["pipeline_id"]: row["status"] for (name, _), row in rows.items() if name == "pipelines"
    }
    assert told == {str(one): "PIPELINE_STATUS_SUCCESS" for one in (pipelines[0], *pipelines[-3:])}
    assert {row["pipeline_id"] for (name, _), row in rows.items() if name == "jobs"} == {
        str(pipelines[0])
    }
    assert not live


async def test_a_whole_says_if_more_is_live_than_it_names(
    http: HttpClient, driver: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LIVE_MAX", "ENDED_MAX", "NEWEST_MAX"):
        monkeypatch.setattr(tenant_feed, name, 1)
        monkeypatch.setattr(tenant_watches, name, 1)
    for more_live in (False, True):
        newest = str((await driver.submit("noop", LOCAL)).pipeline_id)
        async with http.stream(EVENTS) as stream:
            update = await next_update(stream.events())
        assert list(pipelines_of(update)) == [newest]
        assert update.data["more_live"] == more_live
    async with http.stream(EVENTS) as stream:
        events = stream.events()
        update = await next_update(events)
        assert update.data["more_live"]
        for job in await driver.claim("noop", max_jobs=2):
            await driver.finish(job)
        # Nothing is live: whoever sees it is told so in a whole.
        async with asyncio.timeout(SECONDS_MAX):
            while update.data["more_live"]:
                update = await next_update(events)
        assert update.data["whole"]


async def test_rows_that_have_gone_are_told_to_nobody(
    services: Services, driver: Client, gateway: RunningGateway
) -> None:
    """A scheduler that begins anew does not name them: whoever watches is told all rows again."""
    pipeline = str((await driver.submit("noop", LOCAL)).pipeline_id)
    called = Called(services.scheduler_address, services.ledger_address)
    hub = Hub(called, gateway.metrics, open_log("error"))
    key = ("pipelines", "999")
    row = {"pipeline_id": "999", "version": "1", "status": "PIPELINE_STATUS_RUNNING"}
    hub.take({key: row}, whole=False, more_live=False)
    hub.enter("local")
    _, to_a_newcomer = await hub.first()
    _, to_who_has_seen_it = await hub.after(1, SECONDS_MAX)
    await hub.close()
    await called.close()
    for message in (to_a_newcomer, to_who_has_seen_it):
        told = json.loads(message)
        assert told["whole"]
        assert [one["pipeline_id"] for one in told["pipelines"]] == [pipeline]
        # Whoever was told of it knows that it has ended.
        assert told["newest"] == "999"
