"""A worker whose calls and answers get lost: every job is run, and ended once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from carbonline.client.channel import Credentials, open_channel
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.server import RunningScheduler
from tests.proxy.faulty_proxy import FaultyProxy
from tests.scheduler_service.rpc.conftest import Client
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.lease_keeper import BeatTiming
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.registry import Step, check_registry
from worker_service.mechanics.run import Run
from worker_service.mechanics.scheduler import ChildRequest
from worker_service.mechanics.serve import WorkerLimits, serve_jobs
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity

LOG = structlog.wrap_logger(
    structlog.ReturnLogger(), wrapper_class=structlog.make_filtering_bound_logger(50)
)
LIMITS = WorkerLimits(
    concurrency=8,
    lease_seconds=4.0,
    beat=BeatTiming(beat_seconds=1.0, progress_seconds=0.2, phase_seconds=0.05),
    drain_grace_seconds=5.0,
)


@asynccontextmanager
async def working(address: str, step: Step) -> AsyncIterator[None]:
    """A worker's mechanics for as long, drained at the end."""
    drain = Drain()
    async with open_channel(address, retries=False) as channel:
        scheduler = SchedulerClient(
            channel, WorkerIdentity(str(uuid4()), "test", "here"), Credentials(None)
        )
        registry = check_registry([("noop", step)], ["noop"])
        serving = asyncio.create_task(serve_jobs(scheduler, registry, LIMITS, drain, LOG))
        try:
            yield
        finally:
            drain.request_once()
            assert (await serving).failure is None


async def submit(client: Client, count: int) -> list[int]:
    scope = types_pb2.Scope(tenant="local")
    return [(await client.submit("noop", scope)).pipeline_id for _ in range(count)]


async def final_of(client: Client, pipeline_id: int) -> None:
    request = scheduler_pb2.WatchPipelineRequest(pipeline_id=pipeline_id)
    async for message in client.scheduler.WatchPipeline(request):
        if message.WhichOneof("message") == "final":
            return


async def to_the_end(client: Client, pipeline_ids: Sequence[int]) -> list[types_pb2.Job]:
    """Waits for the pipelines; all their jobs."""
    async with asyncio.timeout(60):
        await asyncio.gather(*[final_of(client, number) for number in pipeline_ids])
    answers = [
        await client.operations.GetPipeline(operations_pb2.GetPipelineRequest(pipeline_id=number))
        for number in pipeline_ids
    ]
    # One version for each job made and one for each that ended: no end was applied twice.
    assert {answer.pipeline.version for answer in answers} == {
        1 + len(answer.jobs) for answer in answers
    }
    return [job for answer in answers for job in answer.jobs]


# Long enough that nothing expires: what is repeated here is calls, never runs.
@pytest.mark.parametrize("lease_seconds", [60.0], indirect=True)
@pytest.mark.parametrize("every", [3, 5, 7])
async def test_each_job_is_run_and_ended_once_though_every_nth_reply_is_lost(
    beside: Client, proxy: FaultyProxy, tmp_path: Path, every: int
) -> None:
    runs: Counter[int] = Counter()

    async def step(run: Run) -> Outcome:
        runs[run.job.job_id] += 1
        if not run.job.payload:
            await run.chain([ChildRequest("c", "noop", payload={"child": True})])
        return Succeeded()

    numbers = await submit(beside, 20)
    proxy.drop_every(every)
    async with working(f"unix:{tmp_path}/p", step):
        jobs = await to_the_end(beside, numbers)
        proxy.drop_every(0)
    assert proxy.dropped > 2
    assert runs == Counter(dict.fromkeys((job.job_id for job in jobs), 1))
    assert len(jobs) == 40
    assert {(job.attempts, job.expiries, job.releases) for job in jobs} == {(1, 0, 0)}
    assert {job.result for job in jobs} == {types_pb2.JOB_RESULT_SUCCESS}


async def test_a_worker_in_a_black_hole_stops_in_time_and_its_successor_ends_the_job(
    server: RunningScheduler, beside: Client, proxy: FaultyProxy, tmp_path: Path
) -> None:
    started, stopped_at = asyncio.Event(), 0.0
    loop = asyncio.get_running_loop()

    async def lost(_run: Run) -> Outcome:
        nonlocal stopped_at
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped_at = loop.time()
        return Succeeded()

    async def step(_run: Run) -> Outcome:
        return Succeeded({}, "by the successor")

    (number,) = await submit(beside, 1)
    async with working(f"unix:{tmp_path}/p", lost):
        await started.wait()
        held_at = loop.time()
        proxy.hold()
        async with working(f"unix:{tmp_path}/s", step):
            (job,) = await to_the_end(beside, [number])
        ended_at = loop.time()
        proxy.let_through()
    assert (job.message, job.attempts, job.expiries) == ("by the successor", 2, 1)
    assert held_at < stopped_at < ended_at
    assert ended_at - held_at < server.store.lease_seconds + 5
