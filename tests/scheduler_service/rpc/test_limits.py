"""A caller beyond a limit is refused with a reason and a time to come again; others are served."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from carbonline.client.errors import server_error
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.jobs.limits import Limits
from scheduler_service.settings import Settings
from scheduler_service.store.submit import limits as submit_limits
from tests.scheduler_service.rpc.conftest import Client

SECONDS = 10.0
MINE, ANOTHERS = (("authorization", "Bearer local"),), (("authorization", "Bearer another"),)
A_COLLEAGUES = (("authorization", "Bearer colleague@local"),)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Room for very little."""
    return replace(settings, limits=Limits(live_jobs=2, joiners=1, parked_claims=2, watches=2))


def refusal(error: grpc.aio.AioRpcError) -> str:
    """The reason; the answer says when to come again."""
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status: Any = rpc_status.from_call(error)
    info = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    assert info.retry_delay.seconds > 0
    return server_error(error).reason


def claim(client: Client, metadata: Any, seconds: int = 20) -> Any:
    request = pb.ClaimRequest(
        worker_id=str(uuid4()),
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    request.wait.seconds = seconds
    return client.scheduler.Claim(request, metadata=metadata)


async def test_one_caller_parks_so_many_claims_and_another_still_can(client: Client) -> None:
    calls = [claim(client, MINE) for _ in range(3)]
    done, parked = await asyncio.wait(
        [asyncio.ensure_future(call) for call in calls],
        timeout=SECONDS,
        return_when=asyncio.FIRST_COMPLETED,
    )
    (refused,) = done
    error = refused.exception()
    assert isinstance(error, grpc.aio.AioRpcError)
    assert refusal(error) == "TOO_MANY_PARKED_CLAIMS"
    assert not (await claim(client, ANOTHERS, seconds=1)).jobs
    for call in parked:
        call.cancel()


async def test_one_caller_opens_so_many_watches_and_others_still_can(client: Client) -> None:
    mine = await client.submit("noop", types_pb2.Scope())
    request = pb.SubmitRequest(request_id=str(uuid4()), job_type="noop")
    anothers = await client.scheduler.Submit(request, metadata=ANOTHERS)

    async def watch(pipeline_id: int, metadata: Any) -> Any:
        wanted = pb.WatchPipelineRequest(pipeline_id=pipeline_id)
        stream: Any = client.scheduler.WatchPipeline(wanted, metadata=metadata)
        assert (await anext(aiter(stream))).HasField("snapshot")
        return stream

    streams = [await watch(mine.pipeline_id, MINE) for _ in range(2)]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await watch(mine.pipeline_id, MINE)
    assert refusal(refused.value) == "TOO_MANY_STREAMS"
    streams.append(await watch(mine.pipeline_id, A_COLLEAGUES))
    # Nor do all callers of a tenant together take the places of other tenants.
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await watch(mine.pipeline_id, A_COLLEAGUES)
    assert refusal(refused.value) == "TOO_MANY_STREAMS"
    streams.append(await watch(anothers.pipeline_id, ANOTHERS))
    for stream in streams:
        stream.cancel()


async def test_watches_of_one_pipeline_and_of_all_share_their_places(client: Client) -> None:
    async def watch_all(metadata: Any) -> Any:
        stream: Any = client.scheduler.WatchPipelines(pb.WatchPipelinesRequest(), metadata=metadata)
        assert (await anext(aiter(stream))).rows.first
        return stream

    one = await client.submit("noop", types_pb2.Scope())
    wanted = pb.WatchPipelineRequest(pipeline_id=one.pipeline_id)
    single: Any = client.scheduler.WatchPipeline(wanted, metadata=MINE)
    assert (await anext(aiter(single))).HasField("snapshot")
    streams = [single, await watch_all(MINE)]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await watch_all(MINE)
    assert refusal(refused.value) == "TOO_MANY_STREAMS"
    streams.append(await watch_all(A_COLLEAGUES))
    for stream in streams:
        stream.cancel()


async def test_too_many_jobs_and_too_many_joiners_are_refused_each_with_its_reason(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit_limits, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(submit_limits, "PAUSE_PER_LOOK", 0)
    await client.provision()
    recalc = types_pb2.Scope(
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=2024,
    )
    for _ in range(2):
        await client.submit("emission_recalc", recalc)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.submit("emission_recalc", recalc)
    assert refusal(refused.value) == "TOO_MANY_JOINERS"
    await client.submit("noop", types_pb2.Scope())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.submit("noop", types_pb2.Scope())
    assert refusal(refused.value) == "TOO_MANY_LIVE_JOBS"
