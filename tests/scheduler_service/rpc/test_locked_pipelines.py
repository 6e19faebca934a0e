"""Whoever waits for a lock keeps nobody else waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import grpc
import grpc.aio
import pytest

from carbonline.client.json_struct import struct_of
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc.gathered_calls import BATCH_MAX
from scheduler_service.store.core import run_units
from scheduler_service.store.core.pool_sizes import PoolSizes
from tests.scheduler_service.rpc.conftest import BLOB, Client

JOBS = 12
# More than calls that come at once share.
LARGE = BATCH_MAX + 10
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
    # What was asked may have been done once the lock was gone, before the server saw the deadline.
    assert await finish(client, first) in {APPLIED, pb.FINISH_OUTCOME_ALREADY_APPLIED}


async def test_calls_that_take_long_hold_up_no_worker(client: Client) -> None:
    jobs = await held(client)
    second, third, *others = jobs
    await client.server.store.pool.execute(SLOW)
    waiting = [
        asyncio.ensure_future(
            client.operations.CancelPipeline(
                ops.CancelPipelineRequest(pipeline_id=job.job.pipeline_id, reason="slow")
            )
        )
        for job in others
    ]
    asleep = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event = 'PgSleep'"
    )
    async with asyncio.timeout(SECONDS):
        while await client.server.store.pools.reads.fetchval(asleep) < PoolSizes().calls:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        beat = pb.ClaimBeat(job_id=third.job.job_id, claim_token=third.claim_token)
        beats = pb.HeartbeatRequest(worker_id=client.worker_id, beats=[beat])
        (answer,) = (await client.scheduler.Heartbeat(beats)).answers
        assert answer.directive == pb.CLAIM_DIRECTIVE_CONTINUE
        assert await finish(client, second) == APPLIED
    for one in waiting:
        one.cancel()


@asynccontextmanager
async def locked_key(client: Client, database_url: str, unit: str) -> AsyncIterator[None]:
    """While it lasts, somebody else has locked the key of the uploads of a module and year."""
    await upload(client, unit, year=2024)
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            found = await conn.fetch("SELECT FROM scheduler.exclusive_keys FOR UPDATE")
            assert found
            await client.server.store.pool.execute(NEW_YEAR)
            yield
    finally:
        await conn.close()


# A year whose key nobody has locked.
NEW_YEAR = (
    "INSERT INTO scheduler.years (tenant, year, provisioned_at)"
    " VALUES ('local', 2025, scheduler.clock())"
)


def an_upload(unit: str, year: int) -> pb.SubmitRequest:
    scope = types_pb2.Scope(
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=year,
        unit=unit,
    )
    request = pb.SubmitRequest(request_id=str(uuid4()), job_type="csv_ingest", scope=scope)
    request.payload.CopyFrom(struct_of({"blob": BLOB}))
    return request


async def upload(client: Client, unit: str, year: int) -> int:
    answer: pb.SubmitResponse = await client.scheduler.Submit(an_upload(unit, year))
    return answer.disposition


async def test_a_locked_key_holds_up_no_other_submit(client: Client, database_url: str) -> None:
    await client.provision()
    async with locked_key(client, database_url, "0828"):
        waiting = [asyncio.ensure_future(upload(client, "0829", year=2024)) for _ in range(3)]
        batch = pb.BatchSubmitRequest(
            requests=[an_upload("0828", 2025), an_upload("0828", 2024), an_upload("0829", 2025)]
        )
        mixed = asyncio.ensure_future(client.scheduler.BatchSubmit(batch))
        async with asyncio.timeout(SECONDS):
            for number in range(5):
                await upload(client, str(number), year=2025)
                await client.submit("noop", types_pb2.Scope())
            jobs = "SELECT count(*) FROM scheduler.jobs WHERE year = 2025"
            # Of the mixed batch, too.
            while await client.server.store.pool.fetchval(jobs) < 7:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert not mixed.done()
        assert not any(one.done() for one in waiting)
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await client.scheduler.Submit(an_upload("0830", 2024), timeout=0.3)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(2 * SECONDS):
        made = {one.response.disposition for one in (await mixed).results}
        made.update(await asyncio.gather(*waiting))
    # None was made twice, or taken for a repeat.
    assert made <= {types_pb2.DISPOSITION_CREATED, types_pb2.DISPOSITION_QUEUED_BEHIND}


def a_withdrawal(year: int) -> ops.WithdrawUploadRequest:
    return ops.WithdrawUploadRequest(
        upload_id=7,
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=year,
        request_id=str(uuid4()),
    )


async def withdraw(client: Client, year: int) -> int:
    answer: ops.WithdrawUploadResponse = await client.operations.WithdrawUpload(a_withdrawal(year))
    return answer.disposition


async def test_a_locked_key_holds_up_no_other_withdrawal(client: Client, database_url: str) -> None:
    await client.provision()
    async with locked_key(client, database_url, "0828"):
        # One more than could wait in the database at once.
        withdrawals = range(PoolSizes().calls + 1)
        waiting = [asyncio.ensure_future(withdraw(client, year=2024)) for _ in withdrawals]
        async with asyncio.timeout(SECONDS):
            for number in range(5):
                await withdraw(client, year=2025)
                await upload(client, str(number), year=2025)
        assert not any(one.done() for one in waiting)
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await client.operations.WithdrawUpload(a_withdrawal(2024), timeout=0.3)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(2 * SECONDS):
        made = set(await asyncio.gather(*waiting))
    assert made == {types_pb2.DISPOSITION_QUEUED_BEHIND}


PATIENT = """
CREATE FUNCTION patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.priority = 9 THEN PERFORM pg_advisory_xact_lock(9); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER waits BEFORE INSERT ON scheduler.jobs FOR EACH ROW EXECUTE FUNCTION patient();
"""
BETWEEN = """
SELECT (SELECT count(*) FROM scheduler.jobs WHERE job_type = 'noop') >= $1
    AND EXISTS (SELECT FROM pg_locks AS l WHERE l.locktype = 'advisory' AND NOT l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


async def test_in_a_large_batch_nobody_overtakes_who_waits_for_a_key(
    client: Client, database_url: str
) -> None:
    """The key comes free when the first half of the batch is done, and the second is not."""
    await client.provision()
    store = client.server.store
    await store.pool.execute(PATIENT)
    plain = [pb.SubmitRequest(request_id=str(uuid4()), job_type="noop") for _ in range(LARGE)]
    patient = pb.SubmitRequest(request_id=str(uuid4()), job_type="noop", priority=9)
    older, newer = an_upload("0829", 2024), an_upload("0829", 2024)
    # Each repeat begins a new part of the batch.
    requests = [older, *plain, plain[0], patient, patient, newer]
    other = await asyncpg.connect(database_url)
    try:
        async with locked_key(client, database_url, "0828"):
            await other.execute("SELECT pg_advisory_lock(9)")
            batch = pb.BatchSubmitRequest(requests=requests)
            asked = asyncio.ensure_future(client.scheduler.BatchSubmit(batch))
            async with asyncio.timeout(5 * SECONDS):
                while not await store.pools.reads.fetchval(BETWEEN, BATCH_MAX - 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        await other.execute("SELECT pg_advisory_unlock(9)")
        async with asyncio.timeout(5 * SECONDS):
            answers = (await asked).results
    finally:
        await other.close()
    numbers = [
        await store.pool.fetchval(
            "SELECT key_number FROM scheduler.jobs WHERE job_id = $1",
            answers[place].response.job_id,
        )
        for place in (0, -1)
    ]
    assert numbers == sorted(numbers)


CRASH = """
CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.priority = 9 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER crashes BEFORE INSERT ON scheduler.jobs FOR EACH ROW EXECUTE FUNCTION crash();
"""


async def test_a_submit_that_takes_its_session_along_fails_alone(client: Client) -> None:
    await client.server.store.pool.execute(CRASH)
    requests = [
        pb.SubmitRequest(request_id=str(uuid4()), job_type="noop", priority=9 if n == 7 else 5)
        for n in range(JOBS)
    ]
    answers = (await client.scheduler.BatchSubmit(pb.BatchSubmitRequest(requests=requests))).results
    failed = [place for place, one in enumerate(answers) if one.WhichOneof("result") == "error"]
    assert failed == [7]
    assert answers[7].error.reason == "DATABASE_UNAVAILABLE"
    assert (
        await client.server.store.pool.fetchval("SELECT count(*) FROM scheduler.jobs") == JOBS - 1
    )


SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.message IN ('slow', 'cancelled: slow') THEN PERFORM pg_sleep(60); END IF;
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
