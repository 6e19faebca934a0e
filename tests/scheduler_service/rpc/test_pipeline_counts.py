"""What a pipeline says of its jobs; how lists are filtered, and statuses counted."""

from typing import Any

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.store.reads import reads
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_a_pipeline_over_the_wire import TRAVEL, chain

NOOP = types_pb2.Scope()
ERROR = types_pb2.JOB_RESULT_ERROR


async def pipeline(client: Client, pipeline_id: int) -> types_pb2.Pipeline:
    request = ops.GetPipelineRequest(pipeline_id=pipeline_id)
    found: types_pb2.Pipeline = (await client.operations.GetPipeline(request)).pipeline
    return found


def counts(one: types_pb2.Pipeline) -> tuple[int, int, int]:
    return one.total_jobs, one.finished_jobs, one.failed_jobs


async def ended(client: Client, job: pb.ClaimedJob, message: str, result: Any) -> None:
    ending = client.ending(job, result)
    ending.message = message
    await client.scheduler.Finish(ending)


async def test_a_pipeline_counts_its_jobs_and_says_what_the_first_failed_one_said(
    client: Client,
) -> None:
    await client.provision()
    number = (await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})).pipeline_id
    assert counts(await pipeline(client, number)) == (1, 0, 0)
    (ingest,) = await client.claim("csv_ingest")
    await chain(client, ingest, "emission_recalc")
    await ended(client, ingest, "3 rows", types_pb2.JOB_RESULT_SUCCESS)
    after_root = await pipeline(client, number)
    # What waits for a barrier is one of its jobs already.
    assert counts(after_root) == (after_root.live_jobs + 1, 1, 0)
    assert (after_root.message, after_root.message_job_id) == ("3 rows", ingest.job.job_id)
    (recalc,) = await client.claim("emission_recalc")
    await ended(client, recalc, "x" * 4_000, ERROR)
    (done,) = (
        await client.operations.ListPipelines(ops.ListPipelinesRequest(kind="csv_ingest"))
    ).pipelines
    assert counts(done) == (2, 2, 1)
    assert (done.message, done.message_job_id) == ("x" * 512, recalc.job.job_id)
    assert done == await pipeline(client, number)


async def test_a_job_that_two_pipelines_wait_for_counts_in_both(client: Client) -> None:
    await client.provision()
    scope = types_pb2.Scope(module=TRAVEL.module, year=2024)
    numbers = [(await client.submit("aggregation", scope)).pipeline_id for _ in range(2)]
    (job,) = await client.claim("aggregation")
    await client.finish(job)
    assert [counts(await pipeline(client, one)) for one in numbers] == [(1, 1, 0)] * 2


async def test_what_an_older_release_has_changed_is_counted_when_asked(client: Client) -> None:
    await client.provision()
    number = (await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})).pipeline_id
    (ingest,) = await client.claim("csv_ingest")
    await chain(client, ingest, "emission_recalc")
    await client.finish(ingest)
    # It raises the version, and knows nothing of the other columns.
    await client.server.store.pool.execute(
        "UPDATE scheduler.pipelines SET version = version + 1, finished_jobs = 0"
        " WHERE pipeline_id = $1",
        number,
    )
    assert (await pipeline(client, number)).finished_jobs == 1
    (recalc,) = await client.claim("emission_recalc")
    await client.finish(recalc)
    assert counts(await pipeline(client, number)) == (2, 2, 0)


async def listed(client: Client, **filters: Any) -> list[int]:
    answer = await client.operations.ListPipelines(ops.ListPipelinesRequest(**filters))
    return [one.pipeline_id for one in answer.pipelines]


async def test_pipelines_are_found_by_unit_submitter_and_text(client: Client) -> None:
    await client.provision()
    mine = types_pb2.Scope()
    mine.CopyFrom(TRAVEL)
    mine.unit = "0828"
    payload: dict[str, object] = {"blob": BLOB, "file_name": "Départs of May.csv"}
    unit = (await client.submit("csv_ingest", mine, payload)).pipeline_id
    whole = (await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})).pipeline_id
    request = pb.SubmitRequest(
        request_id="00000000-0000-0000-0000-0000000000aa", job_type="noop", scope=NOOP
    )
    ann = (("authorization", "Bearer ann@local"),)
    hers = (await client.scheduler.Submit(request, metadata=ann)).pipeline_id
    (job,) = await client.claim("noop")
    await ended(client, job, "100 % of it_", ERROR)
    assert await listed(client, unit="0828") == [unit]
    assert await listed(client, unit="082") == []
    assert await listed(client, submitted_by="ann") == [hers]
    assert await listed(client, submitted_by="local", kind="csv_ingest") == [whole, unit]
    assert await listed(client, text="DÉPARTS of") == [unit]
    assert await listed(client, text="% of it_") == [hers]
    # No wildcards.
    assert await listed(client, text="d%may") == []
    assert await listed(client, text=str(whole), kind="csv_ingest") == [whole]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await listed(client, text="x" * 513, unit="\0")
    assert set(server_error(refused.value).fields) == {"text", "unit"}


async def test_statuses_are_counted_whatever_status_is_listed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        await client.submit("noop", NOOP)
    failed, well, _ = await client.claim("noop", max_jobs=3)
    await client.finish(failed, ERROR)
    await client.finish(well)
    request = ops.ListPipelinesRequest(
        statuses=[types_pb2.PIPELINE_STATUS_FAILED], with_status_counts=True
    )
    answer = await client.operations.ListPipelines(request)
    assert len(answer.pipelines) == 1
    assert answer.status_counts == ops.StatusCounts(not_started=1, running=1, success=1, failed=1)
    request.errors_only = True
    assert (await client.operations.ListPipelines(request)).status_counts == ops.StatusCounts(
        failed=1
    )
    request.errors_only = False
    monkeypatch.setattr(reads, "PIPELINES_COUNTED_MAX", 2)
    newest = (await client.operations.ListPipelines(request)).status_counts
    assert newest == ops.StatusCounts(not_started=1, running=1, has_older=True)
    request.with_status_counts = False
    assert not (await client.operations.ListPipelines(request)).HasField("status_counts")


async def test_a_text_is_looked_for_in_a_bounded_number(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = (await client.submit("noop", NOOP, {"file_name": "rare"})).pipeline_id
    for _ in range(3):
        await client.submit("noop", NOOP)
    monkeypatch.setattr(reads, "PIPELINES_SEARCHED_MAX", 2)
    found, looks, token = list[int](), 0, ""
    while not looks or token:
        answer = await client.operations.ListPipelines(
            ops.ListPipelinesRequest(text="rare", page_token=token, with_status_counts=True)
        )
        # Of the newest two, on each page.
        assert answer.status_counts == ops.StatusCounts(has_older=True)
        found += [one.pipeline_id for one in answer.pipelines]
        token, looks = answer.next_page_token, looks + 1
    assert (found, looks) == ([first], 3)
