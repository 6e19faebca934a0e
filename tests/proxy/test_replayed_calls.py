"""Calls whose replies are lost, repeated as their callers repeat them: done once, and told so."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from tests.proxy.faulty_proxy import FaultyProxy
from tests.scheduler_service.rpc.conftest import BLOB, Client

# A try that is to be answered, on a busy machine too; and one of the many that may be in vain.
ANSWER_SECONDS = 15.0
CALL_SECONDS = 0.5
PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
TRAVEL = types_pb2.Scope(
    tenant="local",
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def once(method: Any, request: Any, seconds: float = ANSWER_SECONDS) -> Any:
    """One try, which waits for a connection."""
    return await method(request, wait_for_ready=True, timeout=seconds)


async def in_the_end(method: Any, request: Any) -> Any:
    """The answer, however many tries it takes."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await once(method, request, CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                if error.code() not in PASSING:
                    raise


async def lose_the_reply(proxy: FaultyProxy, method: Any, request: Any) -> None:
    """The server has done it; the caller does not know."""
    proxy.drop_next_replies()
    lost = proxy.dropped
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await once(method, request)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert proxy.dropped == lost + 1


def submission(tenant: str = "local") -> scheduler_pb2.SubmitRequest:
    return scheduler_pb2.SubmitRequest(
        request_id=str(uuid4()), job_type="noop", scope=types_pb2.Scope(tenant=tenant)
    )


def claim(client: Client, max_jobs: int) -> scheduler_pb2.ClaimRequest:
    return scheduler_pb2.ClaimRequest(
        worker_id=client.worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=max_jobs,
        build_id="test",
    )


async def pipelines_of(client: Client) -> list[types_pb2.Pipeline]:
    listed = await client.operations.ListPipelines(operations_pb2.ListPipelinesRequest())
    return list(listed.pipelines)


async def job_of(client: Client, job_id: int) -> types_pb2.Job:
    answer = await client.operations.GetJob(operations_pb2.GetJobRequest(job_id=job_id))
    job: types_pb2.Job = answer.job
    return job


async def test_a_finish_whose_reply_was_lost_is_already_applied(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    submitted = await beside.scheduler.Submit(submission())
    (job,) = await beside.claim("noop")
    ending = beside.ending(job)
    await lose_the_reply(proxy, behind.scheduler.Finish, ending)
    assert (await job_of(beside, job.job.job_id)).state == types_pb2.JOB_STATE_FINISHED

    answer = await in_the_end(behind.scheduler.Finish, ending)

    assert answer.finished
    assert answer.outcome == scheduler_pb2.FINISH_OUTCOME_ALREADY_APPLIED
    (pipeline,) = await pipelines_of(beside)
    assert (pipeline.pipeline_id, pipeline.version) == (submitted.pipeline_id, 2)


async def test_another_result_than_the_lost_one_is_a_conflict(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    await beside.scheduler.Submit(submission())
    (job,) = await beside.claim("noop")
    await lose_the_reply(proxy, behind.scheduler.Finish, beside.ending(job))
    failed = beside.ending(job, types_pb2.JOB_RESULT_ERROR)
    answer = await in_the_end(behind.scheduler.Finish, failed)
    assert not answer.finished
    assert answer.outcome == scheduler_pb2.FINISH_OUTCOME_CONFLICT
    assert (await job_of(beside, job.job.job_id)).result == types_pb2.JOB_RESULT_SUCCESS


async def test_a_batch_of_finishes_is_answered_item_by_item_when_repeated(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    for _ in range(3):
        await beside.scheduler.Submit(submission())
    first, second, third = await beside.claim("noop", max_jobs=3)
    batch = scheduler_pb2.BatchFinishRequest(
        requests=[beside.ending(first), beside.ending(second)],
    )
    await lose_the_reply(proxy, behind.scheduler.BatchFinish, batch)
    batch.requests.append(beside.ending(third))
    answer = await in_the_end(behind.scheduler.BatchFinish, batch)
    assert [result.response.outcome for result in answer.results] == [
        scheduler_pb2.FINISH_OUTCOME_ALREADY_APPLIED,
        scheduler_pb2.FINISH_OUTCOME_ALREADY_APPLIED,
        scheduler_pb2.FINISH_OUTCOME_APPLIED,
    ]


async def test_a_claim_repeated_returns_its_claims_and_takes_nothing_more(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    for _ in range(5):
        await beside.scheduler.Submit(submission())
    request = claim(behind, max_jobs=2)
    await lose_the_reply(proxy, behind.scheduler.Claim, request)

    first = (await in_the_end(behind.scheduler.Claim, request)).jobs
    again = (await in_the_end(behind.scheduler.Claim, request)).jobs

    assert len(first) == 2
    assert [(j.job.job_id, j.claim_token) for j in first] == [
        (j.job.job_id, j.claim_token) for j in again
    ]
    assert {j.job.attempts for j in again} == {1}
    rest = await beside.claim("noop", max_jobs=10)
    assert len(rest) == 3
    assert not {j.job.job_id for j in rest} & {j.job.job_id for j in first}


async def test_a_submit_repeated_is_the_same_pipeline(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    request = submission()
    await lose_the_reply(proxy, behind.scheduler.Submit, request)
    (made,) = await pipelines_of(beside)

    answer = await in_the_end(behind.scheduler.Submit, request)

    assert answer.disposition == types_pb2.DISPOSITION_REPLAYED
    assert answer.pipeline_id == made.pipeline_id
    assert await pipelines_of(beside) == [made]


async def test_a_batch_of_submits_repeated_adds_only_what_is_new(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    batch = scheduler_pb2.BatchSubmitRequest(requests=[submission(), submission()])
    await lose_the_reply(proxy, behind.scheduler.BatchSubmit, batch)
    batch.requests.append(submission())
    answer = await in_the_end(behind.scheduler.BatchSubmit, batch)
    assert [result.response.disposition for result in answer.results] == [
        types_pb2.DISPOSITION_REPLAYED,
        types_pb2.DISPOSITION_REPLAYED,
        types_pb2.DISPOSITION_CREATED,
    ]
    assert len(await pipelines_of(beside)) == 3


async def test_children_chained_again_are_staged_once(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    await beside.provision()
    await beside.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    (ingest,) = await beside.claim("csv_ingest")
    request = scheduler_pb2.ChainRequest(
        worker_id=beside.worker_id,
        job_id=ingest.job.job_id,
        claim_token=ingest.claim_token,
        children=[
            scheduler_pb2.ChildSpec(
                child_key="plane",
                job_type="emission_recalc",
                data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
            )
        ],
    )
    await lose_the_reply(proxy, behind.scheduler.Chain, request)
    assert (await in_the_end(behind.scheduler.Chain, request)).staged_children == 1
    await lose_the_reply(proxy, behind.scheduler.Finish, beside.ending(ingest))
    answer = await in_the_end(behind.scheduler.Finish, beside.ending(ingest))
    assert answer.outcome == scheduler_pb2.FINISH_OUTCOME_ALREADY_APPLIED
    recalcs = await beside.claim("emission_recalc", max_jobs=10)
    assert [job.job.parent_job_id for job in recalcs] == [ingest.job.job_id]


async def test_a_repeated_release_releases_once(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    await beside.scheduler.Submit(submission())
    (job,) = await beside.claim("noop")
    request = scheduler_pb2.ReleaseRequest(
        worker_id=beside.worker_id,
        releases=[
            scheduler_pb2.ClaimRelease(
                job_id=job.job.job_id,
                claim_token=job.claim_token,
                reason=scheduler_pb2.RELEASE_REASON_DRAIN,
                written=types_pb2.WRITTEN_NOTHING,
            )
        ],
    )
    await lose_the_reply(proxy, behind.scheduler.Release, request)
    (successor,) = await beside.claim("noop", wait_seconds=5)
    assert list((await in_the_end(behind.scheduler.Release, request)).released) == [False]
    now = await job_of(beside, job.job.job_id)
    assert (now.state, now.releases) == (types_pb2.JOB_STATE_RUNNING, 1)
    assert (await beside.finish(successor)).finished


async def test_a_cancel_repeated_gets_the_first_answer(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    submitted = await beside.scheduler.Submit(submission())
    request = operations_pb2.CancelPipelineRequest(pipeline_id=submitted.pipeline_id)
    await lose_the_reply(proxy, behind.operations.CancelPipeline, request)
    answer = await in_the_end(behind.operations.CancelPipeline, request)
    assert list(answer.cancelled_job_ids) == [submitted.job_id]
    (pipeline,) = await pipelines_of(beside)
    assert (pipeline.status, pipeline.version) == (types_pb2.PIPELINE_STATUS_CANCELLED, 2)


def cut_before(proxy: FaultyProxy) -> None:
    proxy.cut()


def half_closed(proxy: FaultyProxy) -> None:
    proxy.half_close()


def slow(proxy: FaultyProxy) -> None:
    proxy.delay_seconds = 0.05


def held_beyond_its_deadline(proxy: FaultyProxy) -> None:
    proxy.hold()
    asyncio.get_running_loop().call_later(2 * CALL_SECONDS, proxy.let_through)


def cut_while_held(proxy: FaultyProxy) -> None:
    def cut() -> None:
        proxy.cut()
        proxy.let_through()

    proxy.hold()
    asyncio.get_running_loop().call_later(CALL_SECONDS / 2, cut)


def three_replies_lost(proxy: FaultyProxy) -> None:
    proxy.drop_next_replies(3)


@pytest.mark.parametrize(
    "fault",
    [cut_before, half_closed, slow, held_beyond_its_deadline, cut_while_held, three_replies_lost],
    ids=lambda fault: fault.__name__,
)
async def test_whatever_the_network_does_a_job_is_submitted_claimed_and_finished_once(
    behind: Client,
    beside: Client,
    proxy: FaultyProxy,
    fault: Callable[[FaultyProxy], None],
) -> None:
    await behind.channel.channel_ready()
    fault(proxy)
    submitted = await in_the_end(behind.scheduler.Submit, submission())
    fault(proxy)
    (job,) = (await in_the_end(behind.scheduler.Claim, claim(behind, max_jobs=10))).jobs
    fault(proxy)
    assert (await in_the_end(behind.scheduler.Finish, behind.ending(job))).finished

    (pipeline,) = await pipelines_of(beside)
    assert (pipeline.pipeline_id, pipeline.version) == (submitted.pipeline_id, 2)
    ended = await job_of(beside, job.job.job_id)
    assert (ended.attempts, ended.expiries) == (1, 0)


async def test_a_finish_held_up_beyond_its_lease_is_stale(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    await beside.scheduler.Submit(submission())
    (job,) = await behind.claim("noop")
    proxy.hold()
    # Again and again, as a worker does: the connection ends when its pings are held up, too.
    late = asyncio.create_task(in_the_end(behind.scheduler.Finish, behind.ending(job)))
    (successor,) = await beside.claim("noop", wait_seconds=15)
    assert successor.job.job_id == job.job.job_id
    proxy.let_through()
    answer = await late
    assert not answer.finished
    assert answer.outcome == scheduler_pb2.FINISH_OUTCOME_STALE
    assert (await beside.finish(successor)).finished
