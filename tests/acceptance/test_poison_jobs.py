"""A job that kills each process that runs it fails by itself, and takes no neighbour along."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2, scheduler_pb2, scheduler_pb2_grpc, types_pb2
from carbonline.v1.operations_pb2_grpc import OperationsServiceStub
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.acceptance.poison_worker import NEIGHBOURS
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

POISON_WORKER = Path(__file__).with_name("poison_worker.py")
LEASE_SECONDS = 2.0
ATTEMPTS_MAX = JOB_TYPES["noop"].attempts_max


@asynccontextmanager
async def scheduling(database_url: str, folder: Path) -> AsyncIterator[Client]:
    """A scheduler with short leases, and its client."""
    settings = Settings(
        database_url=database_url,
        address=f"unix:{folder}/s",
        lease_seconds=LEASE_SECONDS,
        beat_seconds=LEASE_SECONDS / 4,
        sweep_seconds=LEASE_SECONDS / 8,
        noop=True,
        build_id="test",
    )
    async with (
        running_server(settings, open_log("critical"), ByTenantToken()) as server,
        grpc.aio.insecure_channel(settings.address) as channel,
    ):
        scheduler = scheduler_pb2_grpc.SchedulerServiceStub(channel)
        yield Client(channel, scheduler, OperationsServiceStub(channel), server, str(uuid4()))


async def work_again_and_again(folder: Path) -> None:
    """One worker process, started again when it ends."""
    environment = {
        "CARBONLINE_SCHEDULER_ADDRESS": f"unix:{folder}/s",
        "CARBONLINE_JOB_TYPES": "noop",
        "CARBONLINE_CONCURRENCY": str(NEIGHBOURS + 1),
        "CARBONLINE_LEASE_SECONDS": f"{LEASE_SECONDS:g}",
        "CARBONLINE_BEAT_SECONDS": f"{LEASE_SECONDS / 4:g}",
        "CARBONLINE_LOG_LEVEL": "error",
    }
    while True:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(POISON_WORKER), str(folder / "marker")),
            env=os.environ | environment,
        )
        try:
            await process.wait()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise


async def ended(client: Client, pipeline_id: int) -> types_pb2.Job:
    """The only job of a pipeline, once it has ended."""
    watched = scheduler_pb2.WatchPipelineRequest(pipeline_id=pipeline_id)
    async for message in client.scheduler.WatchPipeline(watched):
        if message.WhichOneof("message") == "final":
            break
    asked = operations_pb2.GetPipelineRequest(pipeline_id=pipeline_id)
    [job] = (await client.operations.GetPipeline(asked)).jobs
    return job  # type: ignore[no-any-return]


@pytest.mark.slow
async def test_four_neighbours_of_a_poison_job_succeed_and_it_alone_fails(
    database_url: str, tmp_path: Path
) -> None:
    scope = types_pb2.Scope(tenant="local")
    async with scheduling(database_url, tmp_path) as client:
        neighbours = [(await client.submit("noop", scope)).pipeline_id for _ in range(NEIGHBOURS)]
        poison = (await client.submit("noop", scope, {"poison": "yes"})).pipeline_id
        working = asyncio.create_task(work_again_and_again(tmp_path))
        try:
            async with asyncio.timeout(120):
                jobs = [await ended(client, number) for number in (*neighbours, poison)]
        finally:
            working.cancel()
            await asyncio.wait({working})
    *others, failed = jobs
    assert {(job.result, job.attempts, job.expiries) for job in others} == {
        (types_pb2.JOB_RESULT_SUCCESS, 1, 1)
    }
    assert failed.result == types_pb2.JOB_RESULT_ERROR
    assert failed.error_cause == "attempts_spent"
    assert (failed.attempts, failed.expiries) == (ATTEMPTS_MAX, ATTEMPTS_MAX + 1)
