"""Every RPC x every state of a job whose type this release does not know."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import interventions_pb2, scheduler_pb2, types_pb2
from carbonline.v1 import operations_pb2 as ops
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_odd_requests import GOOD, METHODS

ELSEWHERE = "of_another_release"
SCOPE = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)
STATES = ("waiting", "queued", "running", "expired", "draining", "recovered", "failed", "cancelled")
BY_ITEM: dict[str, Any] = {
    "BatchSubmit": scheduler_pb2.BatchSubmitResponse,
    "BatchFinish": scheduler_pb2.BatchFinishResponse,
}
OUR_FAULT = (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)


@dataclass
class Stored:
    """A job, and the claim that it has or had."""

    pipeline_id: int
    job_id: int
    claim_token: int


async def stored(client: Client, state: str) -> Stored:
    """A job in this state that another release has made."""
    first = await client.submit("csv_ingest", SCOPE, {"blob": BLOB})
    submitted, token = first, 1
    if state == "waiting":
        submitted = await client.submit("csv_ingest", SCOPE, {"blob": BLOB})
    elif state != "queued":
        (claim,) = await client.claim("csv_ingest")
        token = claim.claim_token
        if state == "failed":
            await client.finish(claim, types_pb2.JOB_RESULT_ERROR)
    await renamed(client, submitted.job_id)
    if state == "expired":
        await leases_run_out(client)
    elif state == "recovered":
        await client.operations.RecoverJob(
            interventions_pb2.RecoverJobRequest(job_id=submitted.job_id, force=True)
        )
    elif state in {"draining", "cancelled"}:
        await cancelled(client, submitted.pipeline_id)
        if state == "cancelled":
            await ended_drain(client, submitted.job_id, token)
    return Stored(submitted.pipeline_id, submitted.job_id, token)


async def renamed(client: Client, job_id: int) -> None:
    await client.server.store.pool.execute(
        "UPDATE scheduler.jobs SET job_type = $2 WHERE job_id = $1", job_id, ELSEWHERE
    )


async def cancelled(client: Client, pipeline_id: int) -> None:
    await client.operations.CancelPipeline(ops.CancelPipelineRequest(pipeline_id=pipeline_id))


async def ended_drain(client: Client, job_id: int, claim_token: int) -> None:
    request = scheduler_pb2.ReleaseRequest(worker_id=client.worker_id)
    request.releases.add(
        job_id=job_id,
        claim_token=claim_token,
        reason=scheduler_pb2.RELEASE_REASON_CANCELLED,
        written=types_pb2.WRITTEN_UNKNOWN,
    )
    await client.scheduler.Release(request)


def about(client: Client, job: Stored, method: str) -> list[Any]:
    """Good requests about this job, its claim and its pipeline."""
    named = {
        "pipeline_id": job.pipeline_id,
        "job_id": job.job_id,
        "claim_token": job.claim_token,
        "worker_id": client.worker_id,
        "request_id": str(uuid4()),
        "job_type": ELSEWHERE if method.endswith("JobType") else "unit_sync",
        "year": 2024,
    }
    requests = []
    for good in GOOD[method]:
        request: Any = type(good)()
        request.CopyFrom(good)
        parts = [getattr(request, name, ()) for name in ("requests", "beats", "releases")]
        for message in (request, *(one for part in parts for one in part)):
            for field in named.keys() & message.DESCRIPTOR.fields_by_name.keys():
                setattr(message, field, named[field])
        requests.append(request)
    return requests


async def answered(client: Client, method: str, request: Any) -> None:
    """Whatever the answer is, it is not that the scheduler has failed."""
    answer, failed = b"", None
    try:
        answer = await client.send_bytes(METHODS[method], request.SerializeToString())
    except grpc.aio.AioRpcError as error:
        failed = error
    if failed is not None:
        assert failed.code() not in OUR_FAULT, (method, failed.details())
        assert server_error(failed).reason, (method, failed.details())
    elif method in BY_ITEM:
        codes = {result.error.code for result in BY_ITEM[method].FromString(answer).results}
        assert codes.isdisjoint(code.value[0] for code in OUR_FAULT), method


@pytest.mark.parametrize("state", STATES)
async def test_no_rpc_fails_at_it(client: Client, state: str) -> None:
    await client.provision()
    for method in sorted(METHODS):
        # The one before may have been told to drain.
        client.worker_id = str(uuid4())
        job = await stored(client, state)
        for request in about(client, job, method):
            await answered(client, method, request)
        await sweeps_run(client)
        await everything_ends(client)


async def sweeps_run(client: Client) -> None:
    store = client.server.store
    await store.expire_claims()
    await store.promote_due_jobs()
    await store.backstop()


async def everything_ends(client: Client) -> None:
    """However it stands, an operator ends it, and the key is free for the next one."""
    store = client.server.store
    live = await store.pool.fetch(
        "SELECT pipeline_id FROM scheduler.pipelines WHERE status = 'LIVE'"
    )
    for row in live:
        await cancelled(client, row["pipeline_id"])
    await client.operations.UnlockPeriod(interventions_pb2.UnlockPeriodRequest(year=2024))
    async with asyncio.timeout(30):
        # A sweep that was late may grant a lease first, and one at work may hold the claim.
        while await store.pool.fetchval("SELECT count(*) FROM scheduler.claims"):
            await store.pool.execute("DELETE FROM scheduler.set_asides")
            await leases_run_out(client)
            await store.expire_claims()


async def leases_run_out(client: Client) -> None:
    await client.server.store.pool.execute(
        "UPDATE scheduler.claims SET lease_until = scheduler.clock() - interval '1 minute'"
    )


async def test_its_worker_is_told_to_ask_again_and_its_neighbours_finish(client: Client) -> None:
    await client.provision()
    job = await stored(client, "running")
    await client.submit("noop", types_pb2.Scope())
    (noop,) = await client.claim("noop")
    ending = scheduler_pb2.FinishRequest()
    ending.CopyFrom(client.ending(noop))
    ending.job_id, ending.claim_token = job.job_id, job.claim_token
    request = scheduler_pb2.BatchFinishRequest(requests=[ending, client.ending(noop)])
    failed, done = (await client.scheduler.BatchFinish(request)).results
    assert (failed.error.code, failed.error.reason) == (14, "JOB_TYPE_UNKNOWN")
    assert done.response.outcome == scheduler_pb2.FINISH_OUTCOME_APPLIED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.scheduler.Finish(ending)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert server_error(refused.value).reason == "JOB_TYPE_UNKNOWN"
    await everything_ends(client)


async def test_a_pause_of_a_type_that_is_gone_is_ended(client: Client) -> None:
    await client.operations.PauseJobType(
        interventions_pb2.PauseJobTypeRequest(job_type="noop", reason="why")
    )
    await client.server.store.pool.execute(f"UPDATE scheduler.pauses SET job_type = '{ELSEWHERE}'")
    wanted = interventions_pb2.ResumeJobTypeRequest(job_type=ELSEWHERE)
    assert len((await client.operations.ResumeJobType(wanted)).pauses) == 1
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.ResumeJobType(wanted)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
