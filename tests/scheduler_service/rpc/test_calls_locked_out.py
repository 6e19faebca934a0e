"""Whoever calls for what somebody else has locked, keeps no connection from others meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest

from carbonline.v1 import interventions_pb2 as acts
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.store.core.pool_sizes import PoolSizes
from tests.scheduler_service.rpc.conftest import Client

# Of one operation so many calls wait at once: more than could each wait with a connection.
CALLS = 4 * PoolSizes().calls
# Far below what their waits would come to, one after the other; far above what a call takes.
SECONDS = 3.0


@dataclass(frozen=True)
class Target:
    """What calls name: a running job, one of a pipeline that failed, a worker, a year, a type."""

    job: pb.ClaimedJob
    failed_pipeline: int
    worker_id: str
    year: int
    job_type: str


async def a_target(client: Client, year: int, job_type: str) -> Target:
    await client.provision(year)
    await client.submit("noop", types_pb2.Scope())
    await client.submit("noop", types_pb2.Scope())
    running, failing = await client.claim("noop", max_jobs=2)
    await client.finish(failing, types_pb2.JOB_RESULT_ERROR)
    await client.operations.PauseJobType(acts.PauseJobTypeRequest(job_type=job_type))
    worker_id = str(uuid4())
    await client.scheduler.Claim(
        pb.ClaimRequest(
            worker_id=worker_id,
            request_id=str(uuid4()),
            job_types=["noop"],
            max_jobs=1,
            build_id="test",
        )
    )
    return Target(running, failing.job.pipeline_id, worker_id, year, job_type)


def chain(client: Client, target: Target) -> Awaitable[object]:
    children = [pb.ChildSpec(child_key="one", job_type="noop")]
    answer: Awaitable[object] = client.scheduler.Chain(
        pb.ChainRequest(
            worker_id=client.worker_id,
            job_id=target.job.job.job_id,
            claim_token=target.job.claim_token,
            children=children,
        )
    )
    return answer


def release(client: Client, target: Target) -> Awaitable[object]:
    claim = pb.ClaimRelease(
        job_id=target.job.job.job_id,
        claim_token=target.job.claim_token,
        reason=pb.RELEASE_REASON_DRAIN,
        written=types_pb2.WRITTEN_NOTHING,
    )
    answer: Awaitable[object] = client.scheduler.Release(
        pb.ReleaseRequest(worker_id=client.worker_id, releases=[claim])
    )
    return answer


def act(name: str, request: Callable[[Target], object]) -> Callable[..., Awaitable[object]]:
    def call(client: Client, target: Target) -> Awaitable[object]:
        answer: Awaitable[object] = getattr(client.operations, name)(request(target))
        return answer

    return call


CALL = {
    "Chain": chain,
    "Release": release,
    "CancelPipeline": act(
        "CancelPipeline",
        lambda t: ops.CancelPipelineRequest(pipeline_id=t.job.job.pipeline_id),
    ),
    "RecoverJob": act(
        "RecoverJob", lambda t: acts.RecoverJobRequest(job_id=t.job.job.job_id, force=True)
    ),
    "RetryPipeline": act(
        "RetryPipeline",
        lambda t: acts.RetryPipelineRequest(pipeline_id=t.failed_pipeline, request_id=str(uuid4())),
    ),
    "PauseJobType": act("PauseJobType", lambda t: acts.PauseJobTypeRequest(job_type=t.job_type)),
    "ResumeJobType": act("ResumeJobType", lambda t: acts.ResumeJobTypeRequest(job_type=t.job_type)),
    "LockPeriod": act("LockPeriod", lambda t: acts.LockPeriodRequest(year=t.year)),
    "UnlockPeriod": act("UnlockPeriod", lambda t: acts.UnlockPeriodRequest(year=t.year)),
    "DrainWorker": act("DrainWorker", lambda t: acts.DrainWorkerRequest(worker_id=t.worker_id)),
}


@asynccontextmanager
async def locked(database_url: str, target: Target) -> AsyncIterator[None]:
    """While it lasts, somebody else has locked all that a target names."""
    pipelines = [target.job.job.pipeline_id, target.failed_pipeline]
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            for table, condition, value in (
                ("years", "year = $1", target.year),
                ("pipelines", "pipeline_id = ANY($1)", pipelines),
                ("jobs", "pipeline_id = ANY($1)", pipelines),
                ("pauses", "job_type = $1", target.job_type),
                ("workers", "worker_id = $1", target.worker_id),
            ):
                rows = f"SELECT FROM scheduler.{table} WHERE {condition} FOR UPDATE"
                assert await conn.fetch(rows, value)
            yield
    finally:
        await conn.close()


@pytest.mark.parametrize("name", CALL)
async def test_calls_for_what_is_locked_hold_up_no_others(
    client: Client, database_url: str, name: str
) -> None:
    target = await a_target(client, 2024, "aggregation")
    other = await a_target(client, 2025, "emission_recalc")
    async with locked(database_url, target):
        waiting = [asyncio.ensure_future(CALL[name](client, target)) for _ in range(CALLS)]
        async with asyncio.timeout(SECONDS):
            for neighbour in CALL.values():
                # What an earlier one has ended, is refused.
                await answered([neighbour(client, other)])
        assert not any(one.done() for one in waiting)
    async with asyncio.timeout(SECONDS):
        answers = await answered(waiting)
    assert not all(isinstance(one, grpc.aio.AioRpcError) for one in answers)


REFUSALS = {
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ABORTED,
}


async def answered(calls: Iterable[Awaitable[object]]) -> list[object]:
    """What these calls come to: each is answered, or refused for what it asks for."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, grpc.aio.AioRpcError) and answer.code() in REFUSALS:
            continue
        if isinstance(answer, BaseException):
            raise answer
    return answers


async def test_what_is_locked_leaves_a_release_of_several_claims(
    client: Client, database_url: str
) -> None:
    target = await a_target(client, 2024, "aggregation")
    await client.submit("noop", types_pb2.Scope())
    (free,) = await client.claim("noop")
    releases = [
        pb.ClaimRelease(
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            reason=pb.RELEASE_REASON_DRAIN,
            written=types_pb2.WRITTEN_NOTHING,
        )
        for job in (target.job, free)
    ]
    request = pb.ReleaseRequest(worker_id=client.worker_id, releases=releases)
    async with locked(database_url, target):
        waiting = asyncio.ensure_future(client.scheduler.Release(request))
        async with asyncio.timeout(SECONDS):
            assert len(await client.claim("noop", wait_seconds=2)) == 1
        assert not waiting.done()
    assert list((await waiting).released) == [True, True]
