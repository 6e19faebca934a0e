"""Who has too many calls in flight is refused before its request is received, nobody else is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.serving.call_limits import CallLimits
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import schedules_pb2, types_pb2
from scheduler_service.metrics import PREFIX
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import Client
from tests.scheduler_service.rpc.test_limits import ANOTHERS, MINE, claim, refusal
from tests.scheduler_service.rpc.test_readers import hidden

CALLS, MEBIBYTES, SECONDS = 4, 32, 20.0
MESSAGES = MEBIBYTES // 16
BATCH_SUBMIT = "/carbonline.v1.SchedulerService/BatchSubmit"
LIST_JOBS = "/carbonline.v1.OperationsService/ListJobs"
JOBS, STATS_BYTES = 40, 60_000


@pytest.fixture
def receive_seconds() -> float:
    """Time for any test that does not choose another."""
    return 60.0


@pytest.fixture
def settings(settings: Settings, receive_seconds: float) -> Settings:
    """Room for very little."""
    return replace(settings, call_limits=CallLimits(CALLS, MEBIBYTES, receive_seconds))


def noop(**payload: Any) -> pb.SubmitRequest:
    return pb.SubmitRequest(request_id=str(uuid4()), job_type="noop", payload=struct_of(payload))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        # A server tells nobody what it has refused or received.
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def reason_of(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with asyncio.timeout(SECONDS):
            await call
    return refusal(refused.value)


async def job_is_kept_running(client: Client, job: pb.ClaimedJob) -> None:
    """Its worker beats and finishes, and the server looks well, whatever its caller floods."""
    beats = [pb.ClaimBeat(job_id=job.job.job_id, claim_token=job.claim_token)]
    heartbeat = pb.HeartbeatRequest(worker_id=client.worker_id, beats=beats)
    async with asyncio.timeout(SECONDS):
        answer = await client.scheduler.Heartbeat(heartbeat)
        assert answer.answers[0].directive == pb.CLAIM_DIRECTIVE_CONTINUE
        assert (await client.finish(job)).finished
        health = health_pb2_grpc.HealthStub(client.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest(service="liveness"))).status


def calls_ended(client: Client, method: str, code: str) -> float:
    labels = {"method": f"carbonline.v1.{method}", "code": code}
    registry = client.server.metrics.registry
    return registry.get_sample_value(f"{PREFIX}rpc_calls_total", labels) or 0.0


async def test_a_flood_refuses_itself_costs_no_lease_and_passes_as_soon_as_there_is_room(
    client: Client, database_url: str, tmp_path: Path
) -> None:
    await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    pause = schedules_pb2.PauseScheduleRequest(name="nightly")
    watch = client.scheduler.WatchPipeline(
        pb.WatchPipelineRequest(pipeline_id=job.job.pipeline_id), metadata=MINE
    )
    # Streams and waiting Claims have limits of their own.
    parked = [claim(client, MINE) for _ in range(CALLS)]
    assert (await anext(aiter(watch))).HasField("snapshot")
    # No other call of this test looks at schedules.
    async with hidden(database_url, "schedules"):
        flood = [client.operations.PauseSchedule(pause, metadata=MINE) for _ in range(CALLS)]
        await until(lambda: client.server.calls.others.calls == CALLS)
        assert await reason_of(client.scheduler.Submit(noop(), metadata=MINE)) == "TOO_MANY_CALLS"
        # Its bytes are on their way when it is refused, and the reason arrives all the same.
        large = pb.BatchSubmitRequest(requests=[noop(x="y" * 60_000) for _ in range(250)])
        for _ in range(3):
            refused = client.scheduler.BatchSubmit(large, metadata=MINE)
            assert await reason_of(refused) == "TOO_MANY_CALLS"
        assert (await client.scheduler.Submit(noop(), metadata=ANOTHERS)).job_id
        await job_is_kept_running(client, job)
        async with ContractClient(f"unix:{tmp_path}/s", f"unix:{tmp_path}/s") as person:
            patient = asyncio.ensure_future(person.list_workers())
            method = "OperationsService/ListWorkers"
            await until(lambda: calls_ended(client, method, "RESOURCE_EXHAUSTED") == 1)
            for call in flood:
                call.cancel()
            # It comes again by itself after the pause that it was told.
            async with asyncio.timeout(SECONDS):
                await patient
    for call in (*parked, watch):
        call.cancel()


async def never() -> AsyncIterator[bytes]:
    """A request that does not come."""
    await asyncio.Event().wait()
    yield b""


async def test_requests_wait_to_be_received_while_those_of_their_caller_do_not_come(
    client: Client,
) -> None:
    await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    begin: Any = client.channel.stream_unary(BATCH_SUBMIT)
    stalled = [begin(never(), metadata=MINE) for _ in range(MESSAGES)]
    await until(lambda: client.server.calls.others.calls == MESSAGES)
    mine = [client.scheduler.Submit(noop(), metadata=MINE) for _ in range(CALLS - MESSAGES)]
    waiting = [asyncio.ensure_future(call) for call in mine]
    async with asyncio.timeout(SECONDS):
        assert (await client.scheduler.Submit(noop(), metadata=ANOTHERS)).job_id
    await job_is_kept_running(client, job)
    assert not any(call.done() for call in waiting)
    waiting[0].cancel()
    stalled[0].cancel()
    async with asyncio.timeout(SECONDS):
        assert (await waiting[-1]).job_id
    stalled[1].cancel()


async def no_request() -> AsyncIterator[bytes]:
    """A caller that ends its call before it has sent anything."""
    nothing: tuple[bytes, ...] = ()
    for request in nothing:
        yield request


@pytest.mark.parametrize("receive_seconds", [0.3])
async def test_who_sends_too_slowly_is_answered_and_makes_room(client: Client) -> None:
    methods = (
        BATCH_SUBMIT,
        "/carbonline.v1.SchedulerService/Claim",
        "/carbonline.v1.SchedulerService/Heartbeat",
        "/grpc.health.v1.Health/Check",
    )
    unary: Any = client.channel.stream_unary
    stream: Any = client.channel.stream_stream
    calls = [unary(method)(never(), metadata=MINE) for method in methods]
    watches = ("/carbonline.v1.SchedulerService/WatchPipeline", "/grpc.health.v1.Health/Watch")
    streams = [stream(method)(never(), metadata=MINE) for method in watches]
    reasons = [reason_of(call) for call in (*calls, *(one.read() for one in streams))]
    async with asyncio.timeout(SECONDS):
        assert (await client.scheduler.Submit(noop(), metadata=MINE)).job_id
    assert set(await asyncio.gather(*reasons)) == {"SENDER_TOO_SLOW"}
    await until(lambda: client.server.calls.others.calls == 0)
    assert calls_ended(client, "SchedulerService/Heartbeat", "RESOURCE_EXHAUSTED") == 1
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await unary(BATCH_SUBMIT)(no_request(), metadata=MINE)
    assert server_error(refused.value).reason == "FIELD_INVALID"


async def test_who_does_not_read_its_answers_has_no_room_for_more_calls(
    client: Client, tmp_path: Path
) -> None:
    batch = pb.BatchSubmitRequest(requests=[noop() for _ in range(JOBS)])
    await client.scheduler.BatchSubmit(batch)
    job, *others = await client.claim("noop", max_jobs=JOBS)
    for other in others:
        ending = client.ending(other)
        ending.stats.CopyFrom(struct_of({"x": "y" * STATS_BYTES}))
        await client.scheduler.Finish(ending)
    options = [("grpc.http2.lookahead_bytes", 65_536), ("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s", options=options) as channel:
        ask: Any = channel.unary_stream(LIST_JOBS)
        request = ops.ListJobsRequest(page_size=JOBS).SerializeToString()
        unread = [ask(request, metadata=MINE) for _ in range(CALLS)]
        await until(lambda: calls_ended(client, LIST_JOBS.split(".v1.")[1], "OK") == CALLS)
        small = ops.ListJobsRequest(page_size=1)
        assert await reason_of(client.operations.ListJobs(small, metadata=MINE)) == "TOO_MANY_CALLS"
        async with asyncio.timeout(SECONDS):
            assert not (await client.operations.ListJobs(small, metadata=ANOTHERS)).jobs
        await job_is_kept_running(client, job)
        async with asyncio.timeout(SECONDS):
            answer = ops.ListJobsResponse.FromString(await anext(aiter(unread[0])))
            assert len(answer.jobs) == JOBS
            assert [_ async for _ in unread[0]] == []
            assert (await client.operations.ListJobs(small, metadata=MINE)).jobs
