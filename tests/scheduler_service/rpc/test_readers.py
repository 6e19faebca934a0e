"""However many read, and however long: no worker's call waits for a reader."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.postgres.turns import Turns
from carbonline.v1 import interventions_pb2, schedules_pb2, types_pb2
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from scheduler_service.settings import Settings
from scheduler_service.store.core.pool_sizes import PoolSizes
from scheduler_service.store.reads import readers, reads
from tests.scheduler_service.rpc.conftest import Client

READERS = 30
# A read takes longer here while its table is hidden: what ends sooner has not waited for one.
READ_SECONDS = 4.0
SECONDS = 3.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Reads that are given up, and not before the others' calls are answered."""
    return replace(settings, connections=PoolSizes(read_seconds=READ_SECONDS))


@asynccontextmanager
async def hidden(database_url: str, table: str) -> AsyncIterator[None]:
    """While it lasts, nobody can read the table."""
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            await conn.execute(f"LOCK TABLE scheduler.{table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await conn.close()


async def read(client: Client) -> str:
    """The reason why schedules cannot be read; "" if they can."""
    try:
        await client.operations.ListSchedules(schedules_pb2.ListSchedulesRequest())
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name} {server_error(error).reason}"
    return ""


async def until_waiting(client: Client, sessions: int) -> None:
    """So many connections wait for what is locked."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(SECONDS):
        while await client.server.store.pools.sweeps.fetchval(waiting) < sessions:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_readers_that_wait_hold_up_no_worker(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "WAIT_SECONDS", 0.5)
    connections = PoolSizes().reads
    for _ in range(2):
        await client.submit("noop", types_pb2.Scope())
    first, second = await client.claim("noop", max_jobs=2)
    async with hidden(database_url, "schedules"):
        reading = [asyncio.ensure_future(read(client)) for _ in range(READERS)]
        await until_waiting(client, connections)
        async with asyncio.timeout(SECONDS):
            beat = pb.HeartbeatRequest(
                worker_id=client.worker_id,
                beats=[pb.ClaimBeat(job_id=second.job.job_id, claim_token=second.claim_token)],
            )
            (answer,) = (await client.scheduler.Heartbeat(beat)).answers
            assert answer.directive == pb.CLAIM_DIRECTIVE_CONTINUE
            await client.submit("noop", types_pb2.Scope())
            await client.claim("noop")
            assert (await client.finish(first)).outcome == pb.FINISH_OUTCOME_APPLIED
        told = Counter(await asyncio.gather(*reading))
    too_long, too_many = "RESOURCE_EXHAUSTED READ_TOO_LONG", "RESOURCE_EXHAUSTED TOO_MANY_READS"
    assert set(told) == {too_long, too_many}
    # Whoever asks late finds a connection that a read has given up.
    assert told[too_long] >= connections
    assert await read(client) == ""


async def test_the_lists_of_one_tenant_do_not_stand_before_the_read_of_another(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    take = Turns._take

    async def lent(turns: Turns, asker: str) -> None:
        await take(turns, asker)
        order.append(asker)

    async def listed(whose: str) -> None:
        request = interventions_pb2.ListJobTypePausesRequest()
        metadata = (("authorization", f"Bearer {whose}"),)
        await client.operations.ListJobTypePauses(request, metadata=metadata)

    # In the order of their turns: which of them ends first is up to a busy machine.
    monkeypatch.setattr(Turns, "_take", lent)
    turns = client.server.store._readers._turns
    async with hidden(database_url, "pauses"):
        reading = [asyncio.ensure_future(listed("local")) for _ in range(READERS)]
        await until_waiting(client, PoolSizes().reads)
        reading.append(asyncio.ensure_future(listed("another")))
        async with asyncio.timeout(SECONDS):
            # The scheduler reads, too, for nobody.
            while "another" not in turns._waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await asyncio.gather(*reading)
    assert order.index("another") < READERS / 2


async def test_what_an_operator_did_is_answered_however_many_read(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "WAIT_SECONDS", 0.1)
    hangs = await client.submit("noop", types_pb2.Scope())
    (claim,) = await client.claim("noop")
    unwanted = await client.submit("noop", types_pb2.Scope())
    async with hidden(database_url, "pauses"):
        ask = client.operations.ListJobTypePauses
        request = interventions_pb2.ListJobTypePausesRequest()
        readers_connections = PoolSizes().reads
        reading = [asyncio.ensure_future(ask(request)) for _ in range(readers_connections)]
        await until_waiting(client, readers_connections)
        recovered = await client.operations.RecoverJob(
            interventions_pb2.RecoverJobRequest(job_id=hangs.job_id, force=True)
        )
        cancelled = await client.operations.CancelPipeline(
            ops.CancelPipelineRequest(pipeline_id=unwanted.pipeline_id)
        )
        # They still hold every connection for reads.
        assert await read(client) == "RESOURCE_EXHAUSTED TOO_MANY_READS"
        await asyncio.wait(reading)
        assert all(task.exception() for task in reading)
    assert recovered.claim_token == claim.claim_token
    assert recovered.job.state == types_pb2.JOB_STATE_NOT_STARTED
    assert cancelled.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
    assert cancelled.cancelled_job_ids == [unwanted.job_id]


async def test_a_rare_pipeline_is_found_page_by_page_each_of_a_bounded_look(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    await client.finish(job, types_pb2.JOB_RESULT_ERROR)
    others = [await client.submit("noop", types_pb2.Scope()) for _ in range(5)]
    monkeypatch.setattr(reads, "PIPELINES_READ_MAX", 2)
    found: list[int] = []
    pages: list[int] = []
    token = ""
    while not pages or token:
        answer = await client.operations.ListPipelines(
            ops.ListPipelinesRequest(errors_only=True, page_token=token)
        )
        found += [one.pipeline_id for one in answer.pipelines]
        pages.append(len(answer.pipelines))
        token = answer.next_page_token
    assert found == [rare.pipeline_id]
    # Six pipelines, two at a look, and one more that finds no further one.
    assert pages == [0, 0, 1, 0]
    running = [types_pb2.PIPELINE_STATUS_NOT_STARTED]
    request = ops.ListPipelinesRequest(statuses=running, page_size=1)
    (newest,) = (await client.operations.ListPipelines(request)).pipelines
    assert newest.pipeline_id == others[-1].pipeline_id
