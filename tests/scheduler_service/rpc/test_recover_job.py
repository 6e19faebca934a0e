"""RecoverJob as an operator calls it, and `carbonline recover`, which calls it."""

import asyncio
import os
import sys
from pathlib import Path

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import BLOB, Client

OTHER = (("authorization", "Bearer other"),)


async def running(client: Client) -> scheduler_pb2.ClaimedJob:
    await client.submit("unit_sync", types_pb2.Scope(year=2024), {"blob": BLOB})
    (job,) = await client.claim("unit_sync")
    return job


async def reason_of(client: Client, request: pb.RecoverJobRequest) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.RecoverJob(request)
    return server_error(refused.value).reason


async def typed(settings: Settings, *words: str, columns: int = 80) -> tuple[int, str]:
    """Exit code and output of a command that is typed for this scheduler."""
    environment = {k: v for k, v in os.environ.items() if "CARBONLINE" not in k}
    environment["COLUMNS"] = str(columns)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "carbonline.command.main", *words),
        *("--scheduler", settings.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd=Path(__file__).parents[3],
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_a_forced_recovery_says_for_how_long_the_claim_drains(client: Client) -> None:
    job = await running(client)
    job_id = job.job.job_id
    assert await reason_of(client, pb.RecoverJobRequest(job_id=job_id)) == "CLAIM_LIVE"
    request = pb.RecoverJobRequest(
        job_id=job_id, claim_token=job.claim_token, force=True, reason="it hangs"
    )
    answer = await client.operations.RecoverJob(request)
    assert answer.claim_token == job.claim_token
    assert 0 < answer.drains_for.ToTimedelta().total_seconds() <= 8
    assert answer.job.state == types_pb2.JOB_STATE_NOT_STARTED
    assert answer.job.attempts == 0
    listed = await client.operations.ListWorkers(operations_pb2.ListWorkersRequest())
    assert [held.draining for worker in listed.workers for held in worker.held] == [True]
    shown = await client.operations.GetJob(operations_pb2.GetJobRequest(job_id=job_id))
    (event,) = [event for event in shown.timeline if event.event == "recovered"]
    assert (event.detail, event.claim_token) == ("by local: it hangs", job.claim_token)
    # The worker lets go, and its own call was safe to repeat.
    await client.finish(job)
    (again,) = await client.claim("unit_sync", wait_seconds=5)
    assert again.job.job_id == job_id
    assert (await client.operations.RecoverJob(request)).claim_token == job.claim_token
    assert (await client.finish(again)).finished


async def test_a_job_of_another_tenant_is_not_recovered(client: Client) -> None:
    job = await running(client)
    for tenant in ("", "local"):
        request = pb.RecoverJobRequest(job_id=job.job.job_id, force=True, tenant=tenant)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.operations.RecoverJob(request, metadata=OTHER)
        assert server_error(refused.value).reason == "OTHER_TENANT"
    assert (await client.finish(job)).finished


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.RecoverJobRequest(), "job_id"),
        (pb.RecoverJobRequest(job_id=-1), "job_id"),
        (pb.RecoverJobRequest(job_id=1, claim_token=-1), "claim_token"),
        (pb.RecoverJobRequest(job_id=1, reason="x" * 513), "reason"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    client: Client, request_: pb.RecoverJobRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.RecoverJob(request_)
    assert list(server_error(refused.value).fields) == [field]


async def test_the_command_says_what_became_of_the_claim(
    client: Client, settings: Settings
) -> None:
    job = await running(client)
    job_id, beating = str(job.job.job_id), asyncio.create_task(beat(client, job))
    code, said = await typed(settings, "recover", job_id)
    assert (code, "[CLAIM_LIVE]" in said) == (2, True), said
    assert "only force takes the job from it: " in said
    assert f"carbonline recover {job_id} --force" in said
    code, said = await typed(settings, "recover", job_id, "--force", "--reason", "it hangs")
    beating.cancel()
    assert code == 0, said
    assert said.startswith(f"Job {job_id} (unit_sync): claim {job.claim_token} drains for ")
    await client.finish(job)
    code, said = await typed(settings, "recover", job_id, "--force")
    # What it read is the last claim's token, which has lost the job already: the first answer.
    assert (code, "has lost the job" in said) == (0, True), said


async def beat(client: Client, job: scheduler_pb2.ClaimedJob) -> None:
    """For as long as it is not cancelled."""
    request = scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id)
    request.beats.add(job_id=job.job.job_id, claim_token=job.claim_token)
    while True:
        await client.scheduler.Heartbeat(request)
        await asyncio.sleep(1)
