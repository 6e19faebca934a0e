"""ListJobs: every job on one page and no more, in one order, whatever the page's size."""

from typing import Any

import grpc
import pytest

from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.store.reads import reads
from tests.scheduler_service.rpc.conftest import Client

CHILDREN, OTHERS = 4, 2
TRAVEL = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def chain_and_finish(client: Client, held: pb.ClaimedJob, *child_keys: str) -> None:
    await client.scheduler.Chain(
        pb.ChainRequest(
            worker_id=client.worker_id,
            job_id=held.job.job_id,
            claim_token=held.claim_token,
            children=[pb.ChildSpec(child_key=key, job_type="noop") for key in child_keys],
        )
    )
    await client.finish(held)


async def families(client: Client) -> list[int]:
    """A pipeline with children, then others of one job each, then one more child of the first."""
    first = await client.submit("noop", types_pb2.Scope())
    (root,) = await client.claim("noop")
    await chain_and_finish(client, root, *(f"child {n}" for n in range(CHILDREN)))
    (child,) = await client.claim("noop")
    others = [await client.submit("noop", types_pb2.Scope()) for _ in range(OTHERS)]
    await chain_and_finish(client, child, "late")
    return [int(submitted.pipeline_id) for submitted in (first, *others)]


async def listed(client: Client, page_size: int, **wanted: Any) -> list[types_pb2.Job]:
    """All pages, one after the other."""
    jobs: list[types_pb2.Job] = []
    token = ""
    while True:
        request = ops.ListJobsRequest(page_size=page_size, page_token=token, **wanted)
        answer = await client.operations.ListJobs(request)
        assert len(answer.jobs) <= page_size
        jobs += answer.jobs
        token = answer.next_page_token
        if not token:
            return jobs


def numbers(jobs: list[types_pb2.Job]) -> list[tuple[int, int]]:
    return [(job.pipeline_id, job.job_id) for job in jobs]


@pytest.mark.parametrize("page_size", [1, 2, 3, 500])
async def test_pages_show_the_newest_pipelines_first_and_each_job_once(
    client: Client, page_size: int
) -> None:
    made = await families(client)
    jobs = await listed(client, page_size)
    assert numbers(jobs) == sorted(numbers(jobs), reverse=True)
    assert len(set(numbers(jobs))) == len(jobs) == 1 + CHILDREN + 1 + OTHERS
    assert {job.pipeline_id for job in jobs} == set(made)
    # The late child is the youngest of all, and stands with its pipeline.
    assert max(jobs, key=lambda job: job.job_id).pipeline_id == min(made)


@pytest.mark.parametrize("page_size", [1, 500])
async def test_states_choose_among_live_and_ended_jobs(client: Client, page_size: int) -> None:
    await families(client)
    everything = await listed(client, 500)
    for states in (
        [types_pb2.JOB_STATE_QUEUED],
        [types_pb2.JOB_STATE_FINISHED],
        [types_pb2.JOB_STATE_QUEUED, types_pb2.JOB_STATE_FINISHED],
    ):
        wanted = [job for job in everything if job.state in states]
        assert numbers(await listed(client, page_size, states=states)) == numbers(wanted)
        assert wanted


@pytest.mark.parametrize("page_size", [1, 2, 500])
async def test_a_pipelines_pages_are_its_own(client: Client, page_size: int) -> None:
    made = await families(client)
    everything = await listed(client, 500)
    for pipeline_id in made:
        wanted = [job for job in everything if job.pipeline_id == pipeline_id]
        found = await listed(client, page_size, pipeline_id=pipeline_id)
        assert numbers(found) == numbers(wanted)
        assert not any(job.joined for job in found)
        live = [types_pb2.JOB_STATE_QUEUED]
        found = await listed(client, page_size, pipeline_id=pipeline_id, states=live)
        assert numbers(found) == numbers([job for job in wanted if job.state in live])


async def test_follow_ups_are_found_by_the_job_that_they_follow(client: Client) -> None:
    pipeline_id, *_ = await families(client)
    everything = await listed(client, 500)
    parents = {job.parent_job_id for job in everything if job.parent_job_id}
    assert len(parents) == 2
    for parent in parents:
        wanted = numbers([job for job in everything if job.parent_job_id == parent])
        for within in (pipeline_id, 0):
            found = await listed(client, 1, pipeline_id=within, parent_job_id=parent)
            assert numbers(found) == wanted


@pytest.mark.parametrize("page_size", [1, 500])
async def test_a_page_ends_after_so_many_pipelines_and_the_next_goes_on_behind_them(
    client: Client, monkeypatch: pytest.MonkeyPatch, page_size: int
) -> None:
    made = await families(client)
    everything = await listed(client, 500)
    monkeypatch.setattr(reads, "PIPELINES_READ_MAX", 2)
    monkeypatch.setattr(reads, "PIPELINES_PASSED_MAX", 2)
    assert numbers(await listed(client, page_size)) == numbers(everything)
    # They are all of the oldest pipeline, which the first look does not reach.
    rare = ops.ListJobsRequest(states=[types_pb2.JOB_STATE_FINISHED], page_size=page_size)
    first = await client.operations.ListJobs(rare)
    assert not first.jobs
    assert first.next_page_token
    found = await listed(client, page_size, states=[types_pb2.JOB_STATE_FINISHED])
    assert {job.pipeline_id for job in found} == {min(made)}
    assert len(found) == 2


async def test_a_token_of_another_list_is_refused(client: Client) -> None:
    await families(client)
    answer = await client.operations.ListPipelines(ops.ListPipelinesRequest(page_size=1))
    with pytest.raises(grpc.aio.AioRpcError, match="must be the next_page_token"):
        await client.operations.ListJobs(ops.ListJobsRequest(page_token=answer.next_page_token))
    other = await client.operations.ListJobs(ops.ListJobsRequest(page_size=1))
    with pytest.raises(grpc.aio.AioRpcError, match="must be the next_page_token"):
        await client.operations.ListPipelines(
            ops.ListPipelinesRequest(page_token=other.next_page_token)
        )


async def test_a_pipelines_list_shows_what_it_joined_and_the_list_of_all_does_not(
    client: Client,
) -> None:
    await client.provision()
    own = await client.submit("emission_recalc", TRAVEL)
    joining = await client.submit("emission_recalc", TRAVEL)
    assert joining.pipeline_id != own.pipeline_id
    (job,) = await listed(client, 500, pipeline_id=joining.pipeline_id)
    assert (job.pipeline_id, job.job_id, job.joined) == (own.pipeline_id, own.job_id, True)
    queued = [types_pb2.JOB_STATE_QUEUED]
    assert len(await listed(client, 500, pipeline_id=joining.pipeline_id, states=queued)) == 1
    ended = [types_pb2.JOB_STATE_FINISHED]
    assert await listed(client, 500, pipeline_id=joining.pipeline_id, states=ended) == []
    assert (own.pipeline_id, own.job_id) in numbers(await listed(client, 1))
    assert joining.pipeline_id not in {job.pipeline_id for job in await listed(client, 1)}
