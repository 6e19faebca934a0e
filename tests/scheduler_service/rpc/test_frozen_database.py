"""A database that is frozen: callers hear of it before their deadlines, and may repeat all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import grpc.aio
import pytest

from carbonline.client.channel import open_channel
from carbonline.client.errors import ServerError, server_error
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all
from carbonline.serving.logs import open_log
from carbonline.v1 import (
    interventions_pb2,
    operations_pb2,
    operations_pb2_grpc,
    scheduler_pb2,
    scheduler_pb2_grpc,
    types_pb2,
)
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from scheduler_service.store.reads import readers
from tests.conftest import THROWAWAY
from tests.frozen_postgres import frozen
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

SECONDS = 30.0
# It takes three seconds to notice the silence.
CALL_SECONDS = 5.5


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server of the test's own, which it may freeze."""
    server = await EmbeddedPostgres.open(tmp_path / "postgres", settings=THROWAWAY)
    try:
        yield server
    finally:
        await server.close()


@pytest.fixture
async def client(
    postgres: EmbeddedPostgres, settings: Settings, tmp_path: Path
) -> AsyncIterator[Client]:
    """A client whose gRPC repeats what is UNAVAILABLE, as the command line's does."""
    url = await postgres.create_database("scheduler")
    await migrate_all(url)
    own = replace(settings, database_url=url, lease_seconds=60.0)
    async with (
        running_server(own, open_log("critical"), ByTenantToken()) as server,
        open_channel(own.address, retries=True) as channel,
    ):
        yield Client(
            channel,
            scheduler_pb2_grpc.SchedulerServiceStub(channel),
            operations_pb2_grpc.OperationsServiceStub(channel),
            server,
            str(uuid4()),
        )


def submission() -> scheduler_pb2.SubmitRequest:
    return scheduler_pb2.SubmitRequest(request_id=str(uuid4()), job_type="noop")


async def held_jobs(client: Client, count: int) -> list[scheduler_pb2.ClaimedJob]:
    batch = scheduler_pb2.BatchSubmitRequest(requests=[submission() for _ in range(count)])
    await client.scheduler.BatchSubmit(batch)
    return await client.claim("noop", max_jobs=count)


def calls_of_all_kinds(
    client: Client, jobs: list[scheduler_pb2.ClaimedJob], pipeline_id: int
) -> dict[str, tuple[Any, Any]]:
    """By name: a method, and a request that may be repeated."""
    to_end, to_end_too, to_chain, to_release, to_beat = jobs
    claim = scheduler_pb2.ClaimRequest(
        worker_id=client.worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    beat = scheduler_pb2.ClaimBeat(job_id=to_beat.job.job_id, claim_token=to_beat.claim_token)
    chain = scheduler_pb2.ChainRequest(
        worker_id=client.worker_id,
        job_id=to_chain.job.job_id,
        claim_token=to_chain.claim_token,
        children=[scheduler_pb2.ChildSpec(child_key="k", job_type="noop")],
    )
    release = scheduler_pb2.ClaimRelease(
        job_id=to_release.job.job_id,
        claim_token=to_release.claim_token,
        reason=scheduler_pb2.RELEASE_REASON_DRAIN,
    )
    worker, people = client.scheduler, client.operations
    return {
        "Submit": (worker.Submit, submission()),
        "BatchSubmit": (
            worker.BatchSubmit,
            scheduler_pb2.BatchSubmitRequest(requests=[submission(), submission()]),
        ),
        "Finish": (worker.Finish, client.ending(to_end)),
        "BatchFinish": (
            worker.BatchFinish,
            scheduler_pb2.BatchFinishRequest(requests=[client.ending(to_end_too)]),
        ),
        "Claim": (worker.Claim, claim),
        "Heartbeat": (
            worker.Heartbeat,
            scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id, beats=[beat]),
        ),
        "Chain": (worker.Chain, chain),
        "Release": (
            worker.Release,
            scheduler_pb2.ReleaseRequest(worker_id=client.worker_id, releases=[release]),
        ),
        "PauseJobType": (
            people.PauseJobType,
            interventions_pb2.PauseJobTypeRequest(job_type="unit_sync", reason="it is frozen"),
        ),
        "GetPipeline": (
            people.GetPipeline,
            operations_pb2.GetPipelineRequest(pipeline_id=pipeline_id),
        ),
        "ListPipelines": (people.ListPipelines, operations_pb2.ListPipelinesRequest()),
    }


async def refusal_of(method: Any, request: Any, seconds: float = CALL_SECONDS) -> ServerError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await method(request, timeout=seconds)
    return server_error(raised.value)


async def until(url: str, query: str) -> None:
    """The query finds something."""
    conn = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(SECONDS):
            while not await conn.fetchval(query):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await conn.close()


def assert_silence_is_told(error: ServerError) -> None:
    assert (error.code, error.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE"), error
    assert error.message.startswith("the database has not answered for"), error


async def test_every_call_is_told_before_its_deadline_and_may_be_repeated(
    client: Client, postgres: EmbeddedPostgres
) -> None:
    jobs = await held_jobs(client, 5)
    submitted = await client.submit("noop", types_pb2.Scope())
    calls = calls_of_all_kinds(client, jobs, submitted.pipeline_id)

    with frozen(postgres):
        errors = await asyncio.gather(*(refusal_of(*call) for call in calls.values()))
        # By now the silence is known, and a short deadline suffices to hear of it.
        errors += [await refusal_of(*calls["Heartbeat"], seconds=0.8)]

    for error in errors:
        assert_silence_is_told(error)
    async with asyncio.timeout(SECONDS):
        answers = dict(
            zip(
                calls,
                await asyncio.gather(*(method(request) for method, request in calls.values())),
                strict=True,
            )
        )
    assert answers["Finish"].finished
    assert answers["BatchFinish"].results[0].response.finished
    assert answers["Heartbeat"].answers[0].directive == scheduler_pb2.CLAIM_DIRECTIVE_CONTINUE
    assert answers["Chain"].staged_children == 1
    again = await calls["Submit"][0](calls["Submit"][1])
    assert again.disposition == types_pb2.DISPOSITION_REPLAYED
    # Six were there, and what was asked during the silence was done once.
    listed = await client.operations.ListPipelines(operations_pb2.ListPipelinesRequest())
    assert len(listed.pipelines) == 6 + 3


async def test_what_was_committed_without_an_answer_is_found_when_it_is_repeated(
    client: Client, postgres: EmbeddedPostgres
) -> None:
    (job,) = await held_jobs(client, 1)
    submit, finish = submission(), client.ending(job)
    url = postgres.url("scheduler")
    operator = await asyncpg.connect(url)
    # A commit is in the log, and then waits for a standby that does not exist.
    await operator.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    await operator.execute("ALTER DATABASE scheduler SET synchronous_commit = 'on'")
    await client.server.store.pools.renew_sessions()
    await operator.execute("SELECT pg_reload_conf()")
    asked = [
        asyncio.create_task(refusal_of(client.scheduler.Submit, submit)),
        asyncio.create_task(refusal_of(client.scheduler.Finish, finish)),
    ]
    waiting = "SELECT count(*) >= 2 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    await until(url, waiting)

    with frozen(postgres):
        errors = await asyncio.gather(*asked)

    for error in errors:
        assert_silence_is_told(error)
    await operator.execute("ALTER SYSTEM RESET synchronous_standby_names")
    await operator.execute("SELECT pg_reload_conf()")
    await operator.close()
    async with asyncio.timeout(SECONDS):
        replayed = await client.scheduler.Submit(submit)
        finished = await client.scheduler.Finish(finish)
    assert replayed.disposition == types_pb2.DISPOSITION_REPLAYED
    assert finished.outcome == scheduler_pb2.FINISH_OUTCOME_ALREADY_APPLIED


async def test_reads_that_wait_for_each_other_hear_of_the_database(
    client: Client, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "WAIT_SECONDS", 4.0)
    request = operations_pb2.ListPipelinesRequest()

    with frozen(postgres):
        asked = (refusal_of(client.operations.ListPipelines, request) for _ in range(40))
        errors = await asyncio.gather(*asked)

    for error in errors:
        assert_silence_is_told(error)
    async with asyncio.timeout(SECONDS):
        await client.operations.ListPipelines(request)


async def test_calls_that_need_a_new_connection_are_told_before_a_workers_deadline(
    client: Client, postgres: EmbeddedPostgres, settings: Settings
) -> None:
    request = operations_pb2.ListPipelinesRequest()

    # What gRPC repeats may need a new connection again, and its second answer comes too late.
    async with open_channel(settings.address, retries=False) as channel:
        reads = operations_pb2_grpc.OperationsServiceStub(channel)
        with frozen(postgres, with_sessions=False):
            # Old sessions go on, and most reads find one of them.
            calls = [reads.ListPipelines(request, timeout=8.0) for _ in range(40)]
            codes = {await call.code() for call in calls}

    assert codes <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}


async def test_a_call_that_waits_for_others_is_not_told_that_the_database_is_silent(
    client: Client, postgres: EmbeddedPostgres
) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    cancel = operations_pb2.CancelPipelineRequest(pipeline_id=submitted.pipeline_id)
    other = await asyncpg.connect(postgres.url("scheduler"))
    async with other.transaction():
        await other.execute("SELECT FROM scheduler.pipelines FOR UPDATE")
        error = await refusal_of(client.operations.CancelPipeline, cancel)
    await other.close()
    assert error.code == "DEADLINE_EXCEEDED"
