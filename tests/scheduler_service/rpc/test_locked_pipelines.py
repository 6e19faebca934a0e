"""Whoever waits for a lock keeps nobody else waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import grpc
import grpc.aio
import pytest

from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.store.core import run_units
from scheduler_service.store.core.pool import PoolSizes
from tests.scheduler_service.rpc.conftest import Client

JOBS = 12
APPLIED = pb.FINISH_OUTCOME_APPLIED
# Far below the time for which a statement waits for a lock, far above what a batch takes.
SECONDS = 3.0


async def held(client: Client) -> list[pb.ClaimedJob]:
    """Claims of jobs of as many pipelines."""
    for _ in range(JOBS):
        await client.submit("noop", types_pb2.Scope())
    return await client.claim("noop", max_jobs=JOBS)


@asynccontextmanager
async def locked(database_url: str, jobs: list[pb.ClaimedJob]) -> AsyncIterator[None]:
    """While it lasts, somebody else has locked the pipelines of these jobs."""
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            await conn.execute(
                "SELECT FROM scheduler.pipelines WHERE pipeline_id = ANY($1) FOR UPDATE",
                [job.job.pipeline_id for job in jobs],
            )
            yield
    finally:
        await conn.close()


async def finish(client: Client, job: pb.ClaimedJob) -> int:
    answer: pb.FinishResponse = await client.scheduler.Finish(client.ending(job))
    return answer.outcome


async def test_a_locked_pipeline_holds_up_no_other_finish(
    client: Client, database_url: str
) -> None:
    first, *others = await held(client)
    async with locked(database_url, [first]):
        waiting = asyncio.ensure_future(finish(client, first))
        for part in (others[:5], others[5:]):
            async with asyncio.timeout(SECONDS):
                ended = await asyncio.gather(*(finish(client, job) for job in part))
            assert set(ended) == {APPLIED}
        assert not waiting.done()
    async with asyncio.timeout(SECONDS):
        assert await waiting == APPLIED


async def test_a_batch_is_answered_once_what_is_locked_in_it_is_free(
    client: Client, database_url: str
) -> None:
    jobs = await held(client)
    batch = pb.BatchFinishRequest(requests=[client.ending(job) for job in jobs])
    async with locked(database_url, jobs[3:5]):
        waiting = asyncio.ensure_future(client.scheduler.BatchFinish(batch))
        live = "SELECT count(*) FROM scheduler.jobs WHERE state <> 'FINISHED'"
        async with asyncio.timeout(SECONDS):
            while await client.server.store.pool.fetchval(live) > 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert not waiting.done()
    async with asyncio.timeout(SECONDS):
        answers = (await waiting).results
    assert [one.response.outcome for one in answers] == [APPLIED] * JOBS


async def test_a_caller_waits_no_longer_than_its_deadline(
    client: Client, database_url: str
) -> None:
    first, *_ = await held(client)
    async with locked(database_url, [first]):
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await client.scheduler.Finish(client.ending(first), timeout=0.6)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await finish(client, first) == APPLIED


async def test_calls_that_wait_for_a_locked_pipeline_hold_up_no_worker(
    client: Client, database_url: str
) -> None:
    first, second, third, *_ = await held(client)
    async with locked(database_url, [first]):
        cancel = ops.CancelPipelineRequest(pipeline_id=first.job.pipeline_id, reason="a mistake")
        waiting = [
            asyncio.ensure_future(client.operations.CancelPipeline(cancel)) for _ in range(JOBS)
        ]
        locks = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        async with asyncio.timeout(SECONDS):
            while await client.server.store.pools.reads.fetchval(locks) < PoolSizes().calls:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            beat = pb.ClaimBeat(job_id=third.job.job_id, claim_token=third.claim_token)
            beats = pb.HeartbeatRequest(worker_id=client.worker_id, beats=[beat])
            (answer,) = (await client.scheduler.Heartbeat(beats)).answers
            assert answer.directive == pb.CLAIM_DIRECTIVE_CONTINUE
            assert await finish(client, second) == APPLIED
        assert not any(one.done() for one in waiting)
    async with asyncio.timeout(2 * SECONDS):
        cancelled = {tuple(answer.cancelled_job_ids) for answer in await asyncio.gather(*waiting)}
    assert cancelled == {(first.job.job_id,)}


SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.message = 'slow' THEN PERFORM pg_sleep(60); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER slows BEFORE UPDATE ON scheduler.jobs FOR EACH ROW EXECUTE FUNCTION slow();
"""


async def test_a_finish_that_times_out_fails_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_units, "SHARED_STATEMENT_SECONDS", 0.3)
    jobs = await held(client)
    await client.server.store.pool.execute(SLOW)
    endings = [client.ending(job) for job in jobs]
    endings[4].message = "slow"
    answers = (await client.scheduler.BatchFinish(pb.BatchFinishRequest(requests=endings))).results
    refused = [place for place, one in enumerate(answers) if one.WhichOneof("result") == "error"]
    assert refused == [4]
    assert answers[4].error.reason == "DATABASE_UNAVAILABLE"
