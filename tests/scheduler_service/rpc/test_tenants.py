"""Institutions on one scheduler: none sees, moves, or waits for what is another's."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_odd_requests import GOOD, METHODS

OTHER = (("authorization", "Bearer other"),)
# Of another institution's scheduler, whose callers have the same name.
NAMESAKE = (("authorization", "Bearer local@other"),)
STRANGERS = {"another caller": OTHER, "another's caller of the same name": NAMESAKE}
# Of our own institution.
COLLEAGUE = (("authorization", "Bearer colleague@local"),)
YEAR = types_pb2.Scope(year=2024)
# One that ends alone, and one whose end has followers.
JOB_TYPES = {"noop": types_pb2.Scope(), "unit_sync": YEAR}
Claimed = scheduler_pb2.ClaimedJob
Metadata: TypeAlias = tuple[tuple[str, str]]
Tell = Callable[[Client, Claimed, Metadata], Awaitable[object]]


def request_for(job_type: str) -> scheduler_pb2.SubmitRequest:
    payload: dict[str, object] = {} if job_type == "noop" else {"blob": BLOB}
    return scheduler_pb2.SubmitRequest(
        request_id=str(uuid4()),
        job_type=job_type,
        scope=JOB_TYPES[job_type],
        payload=struct_of(payload),
    )


async def held(client: Client, job_type: str) -> Claimed:
    """A job in the hands of our own worker."""
    await client.scheduler.Submit(request_for(job_type))
    (job,) = await client.claim(job_type)
    return job


async def beat(client: Client, job: Claimed, stranger: Metadata) -> object:
    request = scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id)
    request.beats.add(job_id=job.job.job_id, claim_token=job.claim_token)
    answer = await client.scheduler.Heartbeat(request, metadata=stranger)
    return [one.directive for one in answer.answers]


async def chain(client: Client, job: Claimed, stranger: Metadata) -> object:
    request = scheduler_pb2.ChainRequest(
        worker_id=client.worker_id, job_id=job.job.job_id, claim_token=job.claim_token
    )
    request.children.add(child_key="c", job_type="noop")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.scheduler.Chain(request, metadata=stranger)
    return refused.value.code()


async def release(client: Client, job: Claimed, stranger: Metadata) -> object:
    request = scheduler_pb2.ReleaseRequest(worker_id=client.worker_id)
    request.releases.add(
        job_id=job.job.job_id,
        claim_token=job.claim_token,
        reason=scheduler_pb2.RELEASE_REASON_DRAIN,
        written=types_pb2.WRITTEN_NOTHING,
    )
    answer = await client.scheduler.Release(request, metadata=stranger)
    return list(answer.released)


async def finish(client: Client, job: Claimed, stranger: Metadata) -> object:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.scheduler.Finish(client.ending(job), metadata=stranger)
    return refused.value.code()


@pytest.mark.parametrize("job_type", JOB_TYPES)
@pytest.mark.parametrize(
    ("tell", "answer"),
    [
        pytest.param(beat, [scheduler_pb2.CLAIM_DIRECTIVE_LOST], id="Heartbeat"),
        pytest.param(chain, grpc.StatusCode.PERMISSION_DENIED, id="Chain"),
        pytest.param(release, [False], id="Release"),
        pytest.param(finish, grpc.StatusCode.PERMISSION_DENIED, id="Finish"),
    ],
)
@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
async def test_a_claim_is_its_callers_even_if_another_knows_all_its_numbers(
    client: Client, job_type: str, stranger: Metadata, tell: Tell, answer: object
) -> None:
    job = await held(client, job_type)
    assert await tell(client, job, stranger) == answer
    ended = await client.finish(job)
    assert ended.outcome == scheduler_pb2.FINISH_OUTCOME_APPLIED


async def test_a_drain_is_its_callers_too(client: Client) -> None:
    job = await held(client, "unit_sync")
    await client.operations.CancelPipeline(
        operations_pb2.CancelPipelineRequest(pipeline_id=job.job.pipeline_id)
    )
    await client.scheduler.Submit(request_for("unit_sync"))
    for stranger in STRANGERS.values():
        assert await finish(client, job, stranger) is grpc.StatusCode.PERMISSION_DENIED
        assert await release(client, job, stranger) == [False]
    ending = client.ending(job)
    ending.worker_id = str(uuid4())
    stale = await client.scheduler.Finish(ending)
    assert stale.outcome == scheduler_pb2.FINISH_OUTCOME_STALE
    # Under the worker's number.
    assert await release(client, job, COLLEAGUE) == [False]
    stale = await client.scheduler.Finish(client.ending(job), metadata=COLLEAGUE)
    assert stale.outcome == scheduler_pb2.FINISH_OUTCOME_STALE
    # Its key is taken for as long as its own worker has not let go.
    assert await client.claim("unit_sync") == []
    await client.finish(job)
    assert len(await client.claim("unit_sync")) == 1


async def test_a_worker_is_its_callers_too(client: Client) -> None:
    await client.claim("noop")
    ours = scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id)
    for said in ({"not_ready": "no ledger"}, {"draining": True}):
        told = scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id, **said)
        await client.scheduler.Heartbeat(told, metadata=NAMESAKE)
    request = scheduler_pb2.ClaimRequest(
        worker_id=client.worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    client.server.store._seen._seen.clear()
    await client.scheduler.Claim(request, metadata=NAMESAKE)
    workers = operations_pb2.ListWorkersRequest()
    (worker,) = (await client.operations.ListWorkers(workers)).workers
    assert worker.state == types_pb2.WORKER_STATE_LIVE
    assert not (await client.operations.ListWorkers(workers, metadata=NAMESAKE)).workers
    ours.draining = True
    await client.scheduler.Heartbeat(ours)
    assert not (await client.operations.ListWorkers(workers)).workers


async def test_a_claim_is_repeated_for_its_caller_only(client: Client) -> None:
    await client.scheduler.Submit(request_for("noop"))
    request = scheduler_pb2.ClaimRequest(
        worker_id=client.worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    (job,) = (await client.scheduler.Claim(request)).jobs
    for stranger in STRANGERS.values():
        assert list((await client.scheduler.Claim(request, metadata=stranger)).jobs) == []
    (again,) = (await client.scheduler.Claim(request)).jobs
    assert again.claim_token == job.claim_token


async def test_a_finish_is_repeated_for_its_worker_only(client: Client) -> None:
    job = await held(client, "noop")
    await client.finish(job)
    assert (await client.finish(job)).outcome == scheduler_pb2.FINISH_OUTCOME_ALREADY_APPLIED
    ending = client.ending(job)
    ending.worker_id = str(uuid4())
    stale = await client.scheduler.Finish(ending)
    assert stale.outcome == scheduler_pb2.FINISH_OUTCOME_STALE
    for stranger in STRANGERS.values():
        assert await finish(client, job, stranger) is grpc.StatusCode.PERMISSION_DENIED
    # Under the worker's number.
    stale = await client.scheduler.Finish(client.ending(job), metadata=COLLEAGUE)
    assert stale.outcome == scheduler_pb2.FINISH_OUTCOME_STALE


async def test_the_same_work_of_two_tenants_meets_nowhere(client: Client) -> None:
    request = request_for("unit_sync")
    mine = await client.scheduler.Submit(request)
    theirs = await client.scheduler.Submit(request, metadata=OTHER)
    assert mine.pipeline_id != theirs.pipeline_id
    job = await held_of(client, request)
    other = await held_of(client, request, OTHER)
    # One key for both would have let only one of them run.
    assert (job.job.scope.tenant, other.job.scope.tenant) == ("local", "other")


async def held_of(client: Client, request: Any, metadata: Any = None) -> Claimed:
    claim_request = scheduler_pb2.ClaimRequest(
        worker_id=str(uuid4()),
        request_id=str(uuid4()),
        job_types=[request.job_type],
        max_jobs=10,
        build_id="test",
    )
    job: Claimed
    (job,) = (await client.scheduler.Claim(claim_request, metadata=metadata)).jobs
    return job


async def test_lists_and_years_tell_of_ones_own_only(client: Client) -> None:
    await client.provision()
    job = await held(client, "noop")
    operations = client.operations
    pipelines = operations_pb2.ListPipelinesRequest()
    assert len((await operations.ListPipelines(pipelines)).pipelines) == 2
    assert list((await operations.ListPipelines(pipelines, metadata=OTHER)).pipelines) == []
    assert job.job.job_id in {
        one.job_id for one in (await operations.ListJobs(operations_pb2.ListJobsRequest())).jobs
    }
    jobs = operations_pb2.ListJobsRequest()
    assert list((await operations.ListJobs(jobs, metadata=OTHER)).jobs) == []
    year = operations_pb2.GetYearRequest(year=2024)
    assert (await operations.GetYear(year)).provisioned
    assert not (await operations.GetYear(year, metadata=OTHER)).provisioned
    workers = operations_pb2.ListWorkersRequest()
    assert [len(w.held) for w in (await operations.ListWorkers(workers)).workers] == [1]
    assert list((await operations.ListWorkers(workers, metadata=OTHER)).workers) == []


def named_by(method: str) -> str:
    """The field by which the requests of a method name a pipeline or job; "" for others."""
    fields = {field.name for field in GOOD[method][0].DESCRIPTOR.fields}
    return min(fields & {"pipeline_id", "job_id"}, default="")


# By method: the number of a pipeline or job as the request has it.
NAMED = {method: field for method in GOOD if (field := named_by(method))}
# Those answer for each claim, with LOST and false.
NAMED_IN_ITEMS = {"Heartbeat", "Release", "BatchFinish"}


def request_of(method: str, number: int, **fields: object) -> bytes:
    request = type(GOOD[method][0])()
    request.CopyFrom(GOOD[method][0])
    for name, value in {NAMED[method]: number, **fields}.items():
        setattr(request, name, value)
    return request.SerializeToString()


async def refusal_of(client: Client, method: str, data: bytes, name: str) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.send_bytes(METHODS[method], data, caller=name)
    error = server_error(refused.value)
    return error.code, error.reason


def test_every_request_that_names_a_pipeline_or_job_is_among_those_that_are_tried() -> None:
    fields = {method: request.DESCRIPTOR.fields for method, (request, *_) in GOOD.items()}
    told = {
        method
        for method, ones in fields.items()
        if any(one.name.endswith(("pipeline_id", "job_id")) for one in ones)
    }
    # It names where to begin, and reads its own tenant only.
    assert told - NAMED.keys() == {"VerifyHistory"}
    assert not NAMED_IN_ITEMS & NAMED.keys()


@pytest.mark.parametrize("method", NAMED)
async def test_what_is_another_tenants_is_refused_and_what_is_nobodys_is_not_found(
    client: Client, method: str
) -> None:
    job = await held(client, "noop")
    number = getattr(job.job, NAMED[method])
    for stranger in ("other", "local@other"):
        refused = await refusal_of(client, method, request_of(method, number), stranger)
        assert refused == ("PERMISSION_DENIED", "OTHER_TENANT")
    if "tenant" in GOOD[method][0].DESCRIPTOR.fields_by_name:
        foreign = request_of(method, number, tenant="local")
        refused = await refusal_of(client, method, foreign, "other")
        assert refused == ("PERMISSION_DENIED", "OTHER_TENANT")
    unknown = await refusal_of(client, method, request_of(method, number + 1_000), "other")
    if method == "Chain":
        # A worker is told the same of a job that is gone and of a claim that is.
        assert unknown == ("FAILED_PRECONDITION", "STALE_CLAIM")
    else:
        what = NAMED[method].removesuffix("_id").upper()
        assert unknown == ("NOT_FOUND", f"{what}_NOT_FOUND")
    # Nothing has happened to it.
    assert (await client.finish(job)).outcome == scheduler_pb2.FINISH_OUTCOME_APPLIED


TENANTED = {
    method
    for method, (request, *_) in GOOD.items()
    if {"tenant", "scope"} & set(request.DESCRIPTOR.fields_by_name)
}


@pytest.mark.parametrize("method", sorted(TENANTED))
async def test_a_tenant_that_one_does_not_act_for_is_refused(client: Client, method: str) -> None:
    request = type(GOOD[method][0])()
    request.CopyFrom(GOOD[method][0])
    named: Any = request.scope if "scope" in request.DESCRIPTOR.fields_by_name else request  # type: ignore[attr-defined]
    named.tenant = "local"
    refused = await refusal_of(client, method, request.SerializeToString(), "other")
    assert refused == ("PERMISSION_DENIED", "OTHER_TENANT")
