"""What an answer leaves out, it says: events, jobs, pipelines that joined, held children."""

from datetime import UTC, datetime

from carbonline.serving.pages import ANSWER_BYTES_MAX
from carbonline.v1 import monitoring_pb2, operations_pb2, types_pb2
from scheduler_service.rpc.timelines import timeline_beside
from scheduler_service.store.core.statements import Row
from tests.scheduler_service.rpc.conftest import Client

# Beside what happened anyway: created, started and finished.
MORE_EVENTS = """
INSERT INTO scheduler.job_events (tenant, pipeline_id, job_id, at, event, detail)
SELECT j.tenant, j.pipeline_id, j.job_id, scheduler.clock() + n * interval '1 second',
    'retry_later', ''
FROM scheduler.jobs AS j, generate_series(1, 5000) AS n
"""
CLIENT_TAKES_BYTES = 4 * 1024 * 1024


async def test_a_long_timeline_says_how_many_later_events_it_leaves_out(client: Client) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    await client.finish(job)
    one = operations_pb2.GetJobRequest(job_id=submitted.job_id)
    whole = operations_pb2.GetPipelineRequest(pipeline_id=submitted.pipeline_id)
    shown = await client.operations.GetJob(one)
    assert (len(shown.timeline), shown.events_left_out, shown.joined_by_left_out) == (3, 0, 0)

    await client.server.store.pool.execute(MORE_EVENTS)
    for answer in (await client.operations.GetJob(one), await client.operations.GetPipeline(whole)):
        assert (len(answer.timeline), answer.events_left_out) == (5_000, 3)
        assert answer.timeline[0].event == "created"


async def test_a_pipeline_of_few_jobs_shows_all_of_them(client: Client) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    whole = operations_pb2.GetPipelineRequest(pipeline_id=submitted.pipeline_id)
    answer = await client.operations.GetPipeline(whole)
    assert ([job.job_id for job in answer.jobs], answer.has_more_jobs) == (
        [submitted.job_id],
        False,
    )
    explained = await client.operations.ExplainJob(
        monitoring_pb2.ExplainJobRequest(job_id=submitted.job_id)
    )
    assert not explained.has_more_held_children


class _Event:
    """An event with a long detail, of a timeline of ten thousand."""

    at = datetime(2026, 1, 2, tzinfo=UTC)
    job_id, event, claim_token, worker_id = 1, "retry_later", None, None
    detail = "x" * 400
    events = 10_000


async def test_a_timeline_beside_many_jobs_leaves_out_what_no_client_would_take() -> None:
    jobs = [types_pb2.Job(job_id=n, message="y" * 3_000) for n in range(1, 1_030)]
    rows: list[Row] = [_Event()] * 5_000  # type: ignore[list-item]
    events, left_out = await timeline_beside(rows, jobs)  # type: ignore[arg-type]
    answer = operations_pb2.GetPipelineResponse(jobs=jobs, timeline=events)
    assert ANSWER_BYTES_MAX < answer.ByteSize() < CLIENT_TAKES_BYTES
    assert len(events) + left_out == 10_000
    alone, _ = await timeline_beside(rows, [])  # type: ignore[arg-type]
    assert len(alone) > len(events)
