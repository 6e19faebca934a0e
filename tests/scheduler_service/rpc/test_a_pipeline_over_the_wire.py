"""One pipeline's trip over the wire, and what its watchers see."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

TRAVEL = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def chain(client: Client, job: scheduler_pb2.ClaimedJob, *job_types: str) -> None:
    await client.scheduler.Chain(
        scheduler_pb2.ChainRequest(
            worker_id=client.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            children=[
                scheduler_pb2.ChildSpec(
                    child_key=name,
                    job_type=name,
                    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE
                    if name == "emission_recalc"
                    else types_pb2.DATA_ENTRY_TYPE_UNSPECIFIED,
                )
                for name in job_types
            ],
        )
    )


async def watch_to_the_end(
    client: Client, pipeline_id: int, after_version: int = 0
) -> list[scheduler_pb2.WatchPipelineResponse]:
    stream = client.scheduler.WatchPipeline(
        scheduler_pb2.WatchPipelineRequest(pipeline_id=pipeline_id, after_version=after_version)
    )
    return [message async for message in stream]


async def run_to_the_end(client: Client) -> None:
    (ingest,) = await client.claim("csv_ingest", wait_seconds=5)
    await chain(client, ingest, "emission_recalc")
    await client.finish(ingest)
    (recalc,) = await client.claim("emission_recalc", wait_seconds=5)
    await chain(client, recalc, "aggregation")
    await client.finish(recalc, types_pb2.JOB_RESULT_WARNING)
    (aggregation,) = await client.claim("aggregation", wait_seconds=5)
    await client.finish(aggregation)


async def test_a_watcher_sees_every_version_and_the_final(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    watching = asyncio.create_task(watch_to_the_end(client, submitted.pipeline_id))
    await run_to_the_end(client)
    messages = await asyncio.wait_for(watching, 20)
    assert messages[0].WhichOneof("message") == "snapshot"
    version = messages[0].snapshot.pipeline.version
    for message in messages:
        if message.WhichOneof("message") == "change":
            assert message.change.from_version == version
            version = message.change.to_version
    final = messages[-1].final
    assert final.pipeline.version == version
    assert final.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
    assert final.pipeline.has_warnings
    assert len(final.evidence_digest) == 64


async def test_a_watch_resumes_from_any_version_without_a_gap(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    await run_to_the_end(client)
    whole = await watch_to_the_end(client, submitted.pipeline_id)
    newest = whole[-1].final.pipeline.version
    seen = {job.job_id: job for job in whole[0].snapshot.jobs}
    for version in range(1, newest):
        first, *_, final = await watch_to_the_end(client, submitted.pipeline_id, version)
        assert (first.change.from_version, first.change.to_version) == (version, newest)
        assert all(seen[job.job_id] == job for job in first.change.jobs)
        assert final.final == whole[-1].final
    (only,) = await watch_to_the_end(client, submitted.pipeline_id, newest)
    assert only.WhichOneof("message") == "final"
    beyond = await watch_to_the_end(client, submitted.pipeline_id, newest + 7)
    assert beyond[0].WhichOneof("message") == "snapshot"


async def test_silence_is_ended_by_keepalives(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    stream = client.scheduler.WatchPipeline(
        scheduler_pb2.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
    )
    kinds: list[str | None] = []
    async with asyncio.timeout(20):
        async for message in stream:
            kinds.append(message.WhichOneof("message"))
            if kinds.count("keepalive") == 2:
                break
    assert kinds[0] == "snapshot"
    assert "change" not in kinds
    stream.cancel()


async def first_progress(stream: Any) -> types_pb2.Job:
    """The first job of which a watcher is told that it got on."""
    async for message in stream:
        for job in message.activity.jobs:
            if job.progress.done:
                told: types_pb2.Job = job
                return told
    raise AssertionError("the stream ended without progress")


async def test_progress_is_activity(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    stream = client.scheduler.WatchPipeline(
        scheduler_pb2.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
    )
    (job,) = await client.claim("csv_ingest")
    beat = scheduler_pb2.ClaimBeat(
        job_id=job.job.job_id,
        claim_token=job.claim_token,
        progress=types_pb2.Progress(done=10, total=40, phase="read"),
    )
    await client.scheduler.Heartbeat(
        scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id, beats=[beat])
    )
    progressed = await asyncio.wait_for(first_progress(stream), 20)
    assert (progressed.progress.done, progressed.progress.phase) == (10, "read")
    assert progressed.state == types_pb2.JOB_STATE_RUNNING
    stream.cancel()


async def test_a_stopping_server_ends_its_streams_with_unavailable(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    stream = client.scheduler.WatchPipeline(
        scheduler_pb2.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
    )
    messages = aiter(stream)
    assert (await anext(messages)).WhichOneof("message") == "snapshot"
    client.server.watches.drain()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        async for _ in messages:
            pass
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_hundred_watchers_hold_no_connection(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    watching = [
        asyncio.create_task(watch_to_the_end(client, submitted.pipeline_id)) for _ in range(100)
    ]
    await run_to_the_end(client)
    answers = await asyncio.wait_for(asyncio.gather(*watching), 30)
    assert len({messages[-1].final.evidence_digest for messages in answers}) == 1
    assert client.server.store.pool.get_size() <= 8


async def test_a_claim_is_woken_by_a_submit(client: Client) -> None:
    await client.provision()
    waiting = asyncio.create_task(client.claim("csv_ingest", wait_seconds=20))
    await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    (job,) = await asyncio.wait_for(waiting, 5)
    assert job.payload["blob"] == BLOB
    assert job.lease.ToTimedelta().total_seconds() == 8.0


async def test_a_claim_without_work_answers_empty_after_its_wait(client: Client) -> None:
    assert await client.claim("csv_ingest", wait_seconds=1) == []


async def test_lists_and_gets_agree(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    await run_to_the_end(client)
    got = await client.operations.GetPipeline(
        operations_pb2.GetPipelineRequest(pipeline_id=submitted.pipeline_id)
    )
    assert [job.job_type for job in got.jobs] == ["csv_ingest", "emission_recalc", "aggregation"]
    assert all(job.is_current for job in got.jobs)
    assert [edge.kind for edge in got.edges] == ["chained", "chained"]
    assert [e.event for e in got.timeline] == ["created", "started", "finished"] * 3
    listed = await client.operations.ListPipelines(
        operations_pb2.ListPipelinesRequest(
            statuses=[types_pb2.PIPELINE_STATUS_SUCCESS], year=2024, page_size=1
        )
    )
    assert listed.pipelines[0] == got.pipeline
    following = await client.operations.ListPipelines(
        operations_pb2.ListPipelinesRequest(page_size=1, page_token=listed.next_page_token)
    )
    assert [p.kind for p in following.pipelines] == ["unit_sync"]
    jobs = await client.operations.ListJobs(
        operations_pb2.ListJobsRequest(pipeline_id=submitted.pipeline_id)
    )
    assert sorted(job.job_id for job in jobs.jobs) == [job.job_id for job in got.jobs]
    year = await client.operations.GetYear(operations_pb2.GetYearRequest(year=2024))
    assert (year.provisioned, [m.fresh for m in year.modules]) == (True, [True])
    workers = await client.operations.ListWorkers(operations_pb2.ListWorkersRequest())
    assert [w.worker_id for w in workers.workers] == [client.worker_id]


async def test_a_year_is_not_fresh_while_an_upload_of_it_is_on_its_way(client: Client) -> None:
    async def fresh(year: int = 2024) -> list[bool]:
        answer = await client.operations.GetYear(operations_pb2.GetYearRequest(year=year))
        return [module.fresh for module in answer.modules]

    await client.provision()
    for number in range(2):
        assert await fresh() == ([True] if number else [])
        for _ in range(2):
            # The second of one key waits for the first.
            await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
        assert (await fresh(), await fresh(2025)) == ([False], [])
        (held,) = await client.claim("csv_ingest")
        assert await fresh() == [False]
        await client.finish(held)
        assert await fresh() == [False]
        await run_to_the_end(client)
    assert await fresh() == [True]


async def test_batches_answer_item_by_item(client: Client) -> None:
    await client.provision()
    good = scheduler_pb2.SubmitRequest(
        request_id=str(uuid4()), job_type="noop", scope=types_pb2.Scope(tenant="local")
    )
    bad = scheduler_pb2.SubmitRequest(request_id="no uuid", job_type="noop")
    answer = await client.scheduler.BatchSubmit(
        scheduler_pb2.BatchSubmitRequest(requests=[bad, good])
    )
    assert answer.results[0].error.reason == "FIELD_INVALID"
    assert answer.results[1].response.disposition == types_pb2.DISPOSITION_CREATED
    (job,) = await client.claim("noop")
    stranger = client.ending(job)
    stranger.job_id = 123456789
    finished = await client.scheduler.BatchFinish(
        scheduler_pb2.BatchFinishRequest(requests=[stranger, client.ending(job)])
    )
    assert finished.results[0].error.reason == "JOB_NOT_FOUND"
    assert finished.results[1].response.finished
