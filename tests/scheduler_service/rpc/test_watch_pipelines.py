"""One look at a tenant's pipelines serves all who watch them; rows are states."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.serving.logs import open_log
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import scheduler_pb2_grpc, types_pb2
from scheduler_service.rpc import scheduler_servicer, tenant_feed, tenant_watches
from scheduler_service.rpc.tenant_watches import WantedPipelines
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client
from tests.scheduler_service.rpc.test_deleted_pipelines import delete_old

NOOP = types_pb2.Scope()
NEVER_SECONDS = 3600.0
SECONDS = 20.0
WATCHERS = 100
NOT_STARTED = types_pb2.PIPELINE_STATUS_NOT_STARTED
RUNNING = types_pb2.PIPELINE_STATUS_RUNNING
SUCCESS = types_pb2.PIPELINE_STATUS_SUCCESS


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Whatever is seen is not seen by a poll, unless a test is about polls."""
    seconds = 0.2 if "poll" in request.node.name else NEVER_SECONDS
    return replace(settings, poll_seconds=seconds, keepalive_seconds=NEVER_SECONDS)


def watched(client: Any, metadata: Any = None, **fields: Any) -> Any:
    return aiter(
        client.scheduler.WatchPipelines(pb.WatchPipelinesRequest(**fields), metadata=metadata)
    )


async def rows_of(watch: Any) -> pb.PipelineRows:
    """The next rows."""
    async with asyncio.timeout(SECONDS):
        while True:
            message = await anext(watch)
            if message.HasField("rows"):
                rows: pb.PipelineRows = message.rows
                return rows


async def until(watch: Any, is_met: Callable[[types_pb2.Pipeline], bool]) -> types_pb2.Pipeline:
    """The first row that is such."""
    while True:
        for row in (await rows_of(watch)).pipelines:
            if is_met(row):
                return row


async def read_to_the_end(watch: Any) -> None:
    while await watch.read() is not grpc.aio.EOF:
        pass


async def rest_of(watch: Any) -> None:
    async for message in watch:
        assert message.HasField("rows") or message.HasField("keepalive")


def numbers(rows: pb.PipelineRows) -> list[int]:
    return [row.pipeline_id for row in rows.pipelines]


async def test_a_watch_starts_with_what_is_there_and_goes_on_with_what_changes(
    client: Client,
) -> None:
    there = (await client.submit("noop", NOOP)).pipeline_id
    watch = watched(client)
    first = await rows_of(watch)
    assert (first.first, first.more, numbers(first)) == (True, False, [there])
    (job,) = await client.claim("noop")
    running = await until(watch, lambda row: row.status == RUNNING)
    # A claim changes no version: of two such rows the later one is newer.
    assert running.version == first.pipelines[0].version
    await client.finish(job)
    ended = await rows_of(watch)
    assert [(row.status, row.finished_jobs) for row in ended.pipelines] == [(SUCCESS, 1)]
    assert not ended.first
    assert ended.pipelines[0].version > running.version
    new = (await client.submit("noop", NOOP)).pipeline_id
    assert numbers(await rows_of(watch)) == [new]


async def test_many_watchers_are_served_by_the_reads_of_one(client: Client) -> None:
    async def reads_of_changes(watchers: int) -> int:
        watches = [watched(client) for _ in range(watchers)]
        for watch in watches:
            await rows_of(watch)
        before = client.server.tenant_watches.reads
        for _ in range(3):
            pipeline_id = (await client.submit("noop", NOOP)).pipeline_id
            for watch in watches:
                assert numbers(await rows_of(watch)) == [pipeline_id]
        for watch in watches:
            await watch.aclose()
        return client.server.tenant_watches.reads - before

    assert await reads_of_changes(1) == 3
    assert await reads_of_changes(WATCHERS) == 3


async def test_the_first_look_is_shared_too(client: Client) -> None:
    watches = [watched(client) for _ in range(WATCHERS)]
    await asyncio.gather(*(rows_of(watch) for watch in watches))
    # A look is two reads; on a slow machine a poll comes meanwhile.
    assert 2 <= client.server.tenant_watches.reads < WATCHERS


async def test_what_another_scheduler_does_is_heard_and_its_claims_by_the_next_poll(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    other = replace(settings, address=f"unix:{tmp_path}/other")
    async with (
        running_server(other, open_log("error"), ByTenantToken()) as server,
        grpc.aio.insecure_channel(other.address) as channel,
    ):
        there = replace(client, scheduler=scheduler_pb2_grpc.SchedulerServiceStub(channel))
        there = replace(there, channel=channel, server=server, worker_id=str(uuid4()))
        watch = watched(client)
        assert numbers(await rows_of(watch)) == []
        pipeline_id = (await there.submit("noop", NOOP)).pipeline_id
        assert numbers(await rows_of(watch)) == [pipeline_id]
        (job,) = await there.claim("noop")
        await until(watch, lambda row: row.status == RUNNING)
        await there.finish(job)
        await until(watch, lambda row: row.status == SUCCESS)


async def test_a_poll_finds_what_nobody_hinted_at(client: Client) -> None:
    known = (await client.submit("noop", NOOP)).pipeline_id
    watch = watched(client)
    assert numbers(await rows_of(watch)) == [known]
    client.server.store.notifier.on_hint = None
    new = (await client.submit("noop", NOOP)).pipeline_id
    assert numbers(await rows_of(watch)) == [new]
    (job, _) = await client.claim("noop", max_jobs=2)
    await client.finish(job)
    await until(watch, lambda row: (row.pipeline_id, row.status) == (known, SUCCESS))


async def test_a_poll_starts_over_where_the_database_has_fallen_behind(client: Client) -> None:
    pipelines = [(await client.submit("noop", NOOP)).pipeline_id for _ in range(2)]
    watch = watched(client)
    assert numbers(await rows_of(watch)) == pipelines
    # As after a failover to a server that lagged.
    execute = client.server.store.pool.execute
    await execute("UPDATE scheduler.pipelines SET version = 0 WHERE pipeline_id = $1", pipelines[0])
    behind = await rows_of(watch)
    assert (behind.first, [row.version for row in behind.pipelines]) == (True, [0, 1])
    await execute("DELETE FROM scheduler.pipelines WHERE pipeline_id = $1", pipelines[1])
    lost = await rows_of(watch)
    assert (lost.first, numbers(lost)) == (True, pipelines[:1])


async def test_a_poll_finds_that_an_ended_pipeline_was_deleted(
    client: Client, database_url: str
) -> None:
    ended = (await client.submit("noop", NOOP)).pipeline_id
    (job,) = await client.claim("noop")
    await client.finish(job)
    kept = (await client.submit("noop", NOOP)).pipeline_id
    watch = watched(client)
    assert numbers(await rows_of(watch)) == [ended, kept]
    await delete_old(client, database_url)
    left = await rows_of(watch)
    assert (left.first, numbers(left)) == (True, [kept])


async def test_so_many_new_pipelines_that_no_hint_names_them_cost_nobody_else_a_read(
    client: Client,
) -> None:
    notifier = client.server.store.notifier
    notifier.note_others(listen=True)
    notifier._take()
    notifier.wake(["noop"], [7], range(10_000))
    sent = json.loads(notifier._take())
    assert (sent["types"], sent["pipelines"]) == (["noop"], [7])
    notifier.wake([], [7], [8])
    assert json.loads(notifier._take())["pipelines"] == [7, 8]


async def test_a_limited_caller_hears_of_its_rows_only_as_they_change(client: Client) -> None:
    def shown(row: types_pb2.Pipeline) -> types_pb2.Pipeline | None:
        return row if row.scope.year == 2024 else None

    wanted = WantedPipelines("local", shown, lambda jobs: None)
    watch = client.server.tenant_watches.watch(wanted, "ann")
    everything = watched(client)
    async with aclosing(watch), asyncio.timeout(SECONDS):
        assert numbers((await anext(watch)).rows) == numbers(await rows_of(everything)) == []
        for year in (2023, 2024):
            await client.provision(year)
            await until(everything, lambda row: row.status == SUCCESS)
        seen = (await anext(watch)).rows
        assert {row.scope.year for row in seen.pipelines} == {2024}


async def test_who_has_missed_more_than_is_kept_starts_over(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("LIVE_MAX", 4), ("ENDED_MAX", 2), ("NEWEST_MAX", 1)):
        monkeypatch.setattr(tenant_feed, name, most)
    wanted = WantedPipelines("local", lambda row: row, lambda jobs: None)
    pipelines = [(await client.submit("noop", NOOP)).pipeline_id for _ in range(4)]
    slow, reading = client.server.tenant_watches.watch(wanted, "ann"), watched(client)
    async with aclosing(slow), asyncio.timeout(SECONDS):
        assert numbers((await anext(slow)).rows) == numbers(await rows_of(reading)) == pipelines
        for _ in pipelines:
            (job,) = await client.claim("noop")
            await client.finish(job)
            await until(reading, lambda row: row.status == SUCCESS)
        late = (await anext(slow)).rows
    # Of those that it knows as live, the ones that are not there have ended.
    assert (late.first, numbers(late)) == (True, pipelines[2:])
    assert all(row.status == SUCCESS for row in late.pipelines)


async def test_polls_follow_what_there_is_room_for_until_all_that_is_live_is_named(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("LIVE_MAX", 2), ("ENDED_MAX", 2), ("NEWEST_MAX", 1)):
        monkeypatch.setattr(tenant_feed, name, most)
        monkeypatch.setattr(tenant_watches, name, most)
    pipelines = [(await client.submit("noop", NOOP)).pipeline_id for _ in range(5)]
    jobs = dict(zip(pipelines, await client.claim("noop", max_jobs=5), strict=True))
    watch = watched(client)
    first = await rows_of(watch)
    assert first.has_more_live
    for number in (*pipelines[:2], *pipelines[3:]):
        await client.finish(jobs[number])
    rows = await rows_of(watch)
    while not rows.first or rows.has_more_live:
        rows = await rows_of(watch)
    live = [row.pipeline_id for row in rows.pipelines if row.status == RUNNING]
    assert live == [pipelines[2]]
    # What comes beyond them is more again.
    more = [(await client.submit("noop", NOOP)).pipeline_id for _ in range(2)]
    await until(watch, lambda row: row.pipeline_id == more[1])
    assert (await rows_of(watched(client))).has_more_live


async def test_a_watcher_chooses_a_year_and_how_much_of_the_past_it_wants(client: Client) -> None:
    for year in (2023, 2024):
        await client.provision(year)
    waits = (await client.submit("noop", NOOP)).pipeline_id
    assert numbers(await rows_of(watched(client, ended_max=1)))[1:] == [waits]
    assert numbers(await rows_of(watched(client, ended_max=0))) == [waits]
    (only,) = (await rows_of(watched(client, year=2023))).pipelines
    assert only.scope.year == 2023
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await anext(watched(client, year=1, ended_max=501, module=99))
    assert set(server_error(refused.value).fields) == {"year", "ended_max", "module"}


async def test_what_runs_is_told_to_those_who_ask(
    client: Client,
) -> None:
    await client.submit("noop", NOOP)
    watch = watched(client, with_activity=True)
    await rows_of(watch)
    # The second claim comes too soon after the look that saw the first.
    for running in (1, 2):
        await client.submit("noop", NOOP)
        await client.claim("noop")
        async with asyncio.timeout(SECONDS):
            seen = 0
            while seen != running:
                jobs = (await anext(watch)).activity.jobs
                seen = sum(job.state == types_pb2.JOB_STATE_RUNNING for job in jobs)


async def test_another_tenants_pipelines_are_not_told(client: Client) -> None:
    await client.submit("noop", NOOP)
    stranger = watched(client, metadata=(("authorization", "Bearer other"),))
    assert numbers(await rows_of(stranger)) == []
    foreign = watched(client, metadata=(("authorization", "Bearer other"),), tenant="local")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await anext(foreign)
    assert server_error(refused.value).reason == "OTHER_TENANT"


async def test_who_does_not_read_is_told_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_servicer, "WRITE_SECONDS_MAX", 0.2)
    requests = [
        pb.SubmitRequest(request_id=str(uuid4()), job_type="noop", scope=NOOP) for _ in range(500)
    ]
    await client.scheduler.BatchSubmit(pb.BatchSubmitRequest(requests=requests))
    watch = client.scheduler.WatchPipelines(pb.WatchPipelinesRequest())
    async with asyncio.timeout(SECONDS):
        await watch.read()
        feed = client.server.tenant_watches._feeds["local"]
        while client.server.watches.streams:
            # All rows again, until no buffer takes any more.
            feed.times_back += 1
            feed.notify()
            await asyncio.sleep(0.002)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await read_to_the_end(watch)
    assert server_error(raised.value).reason == "READER_TOO_SLOW"


async def test_a_scheduler_that_drains_ends_its_watches_and_another_takes_over(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    own = replace(settings, address=f"unix:{tmp_path}/own")
    async with AsyncExitStack() as server, grpc.aio.insecure_channel(own.address) as channel:
        await server.enter_async_context(running_server(own, open_log("error"), ByTenantToken()))
        there = replace(client, scheduler=scheduler_pb2_grpc.SchedulerServiceStub(channel))
        watch = watched(there)
        pipeline_id = (await client.submit("noop", NOOP)).pipeline_id
        await until(watch, lambda row: row.pipeline_id == pipeline_id)
        await server.aclose()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await rows_of(watch)
    assert server_error(ended.value).reason == "DRAINING"
    again = await rows_of(watched(client))
    assert (again.first, numbers(again)) == (True, [pipeline_id])


async def test_a_watch_has_a_maximum_age(settings: Settings) -> None:
    short = replace(settings, watch_seconds_max=0.2, keepalive_seconds=0.05)
    async with (
        running_server(short, open_log("error"), ByTenantToken()),
        grpc.aio.insecure_channel(short.address) as channel,
    ):
        stub: Any = scheduler_pb2_grpc.SchedulerServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await rest_of(stub.WatchPipelines(pb.WatchPipelinesRequest()))
    assert server_error(ended.value).reason == "STREAM_MAXIMUM_AGE"
