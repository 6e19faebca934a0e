"""The worker and the client against the scheduler itself, on a real PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from carbonline.client.channel import Credentials, open_channel
from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from scheduler_service.server import RunningScheduler, running_server
from scheduler_service.settings import Settings
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.lease_keeper import BeatTiming
from worker_service.mechanics.outcome import Outcome, RetryLater, Succeeded
from worker_service.mechanics.registry import Step, check_registry
from worker_service.mechanics.run import Run
from worker_service.mechanics.scheduler import ChildRequest
from worker_service.mechanics.serve import WorkerLimits, serve_jobs
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity

LOG = structlog.wrap_logger(
    structlog.ReturnLogger(), wrapper_class=structlog.make_filtering_bound_logger(40)
)
BLOB = {"blob": f"blob:sha256:{'0' * 64}"}
WORKER_IDS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")


@pytest.fixture
def lease_seconds() -> float:
    """A test that is about a lease's length has its own."""
    return 5.0


@pytest.fixture
async def server(
    database_url: str, tmp_path: Path, lease_seconds: float
) -> AsyncIterator[RunningScheduler]:
    settings = Settings(
        database_url=database_url,
        address=f"unix:{tmp_path}/s",
        lease_seconds=lease_seconds,
        beat_seconds=1.0,
        sweep_seconds=0.5,
        noop=True,
        drain_grace_seconds=0.5,
    )
    async with running_server(settings, LOG) as running:
        yield running


@pytest.fixture
async def client(server: RunningScheduler, tmp_path: Path) -> AsyncIterator[ContractClient]:
    async with ContractClient(f"unix:{tmp_path}/s", f"unix:{tmp_path}/s", tenant="local") as client:
        yield client


@asynccontextmanager
async def working(
    folder: Path,
    step: Step,
    *,
    number: int = 0,
    concurrency: int = 4,
    job_types: Sequence[str] = ("noop",),
    beat_seconds: float = 1.0,
) -> AsyncIterator[Drain]:
    """A worker's mechanics over an own channel; drained at the end."""
    drain = Drain()
    async with open_channel(f"unix:{folder}/s", retries=False) as channel:
        scheduler = SchedulerClient(
            channel, WorkerIdentity(WORKER_IDS[number], "b", "h"), Credentials(None)
        )
        registry = check_registry([(name, step) for name in job_types], job_types)
        limits = WorkerLimits(
            concurrency=concurrency,
            lease_seconds=5.0,
            beat=BeatTiming(beat_seconds, progress_seconds=0.2, phase_seconds=0.05),
            drain_grace_seconds=0.1,
        )
        serving = asyncio.create_task(serve_jobs(scheduler, registry, limits, drain, LOG))
        try:
            yield drain
        finally:
            drain.request_once()
            assert (await serving).failure is None


async def watched(client: ContractClient, pipeline_id: int) -> PipelineView:
    view = PipelineView()
    async with asyncio.timeout(20):
        async for event in client.watch(pipeline_id):
            view.apply(event)
    return view


async def submit(client: ContractClient) -> int:
    return (await client.submit("noop", client.scope())).pipeline_id


async def test_a_job_and_its_child_run_to_success(client: ContractClient, tmp_path: Path) -> None:
    async def step(run: Run) -> Outcome:
        if run.job.payload.get("child"):
            return Succeeded({"n": 2}, "the child")
        run.progress(1, 2, "half")
        await run.chain([ChildRequest("c", "noop", payload={"child": True})])
        return Succeeded({"n": 1}, "the parent", warnings=True)

    pipeline_id = await submit(client)
    async with working(tmp_path, step):
        view = await watched(client, pipeline_id)
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
    assert view.pipeline.has_warnings
    assert [job.message for job in view.in_order()] == ["the parent", "the child"]
    assert view.in_order()[1].parent_job_id == view.in_order()[0].job_id


async def test_hundreds_of_jobs_end_once_each(client: ContractClient, tmp_path: Path) -> None:
    async def step(_run: Run) -> Outcome:
        return Succeeded()

    numbers = [await submit(client) for _ in range(200)]
    async with working(tmp_path, step, concurrency=50), working(tmp_path, step, number=1):
        views = await asyncio.gather(*[watched(client, number) for number in numbers])
    assert {view.in_order()[0].attempts for view in views} == {1}
    assert all(view.ended for view in views)


async def test_a_drained_job_is_claimed_by_the_next_worker_and_costs_no_attempt(
    client: ContractClient, tmp_path: Path
) -> None:
    started = asyncio.Event()

    async def for_ever(_run: Run) -> Outcome:
        started.set()
        await asyncio.Event().wait()
        return Succeeded()

    async def step(_run: Run) -> Outcome:
        return Succeeded()

    pipeline_id = await submit(client)
    async with working(tmp_path, for_ever):
        await started.wait()
    async with working(tmp_path, step, number=1):
        view = await watched(client, pipeline_id)
    (job,) = view.in_order()
    assert (job.releases, job.expiries) == (1, 0)
    assert job.result == types_pb2.JOB_RESULT_SUCCESS


async def test_a_worker_that_has_ended_in_order_is_no_longer_listed(
    client: ContractClient, tmp_path: Path
) -> None:
    async def step(_run: Run) -> Outcome:
        return Succeeded()

    async with working(tmp_path, step):
        async with working(tmp_path, step, number=1):
            listed = 0
            async with asyncio.timeout(10):
                while listed < 2:
                    listed = len((await client.list_workers()).workers)
        assert [w.worker_id for w in (await client.list_workers()).workers] == [WORKER_IDS[0]]
        await watched(client, await submit(client))
    assert list((await client.list_workers()).workers) == []


async def test_a_passing_fault_is_tried_again(client: ContractClient, tmp_path: Path) -> None:
    async def step(run: Run) -> Outcome:
        return RetryLater("busy", 0.1) if run.job.attempt == 1 else Succeeded()

    pipeline_id = await submit(client)
    async with working(tmp_path, step):
        view = await watched(client, pipeline_id)
    assert view.in_order()[0].attempts == 2


async def test_a_cancel_reaches_the_handler(client: ContractClient, tmp_path: Path) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def step(_run: Run) -> Outcome:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return Succeeded()

    pipeline_id = await submit(client)
    async with working(tmp_path, step):
        await started.wait()
        await client.cancel_pipeline(pipeline_id, "enough")
        view = await watched(client, pipeline_id)
        async with asyncio.timeout(10):
            await stopped.wait()
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED


@pytest.mark.parametrize("lease_seconds", [300.0])
async def test_a_key_is_free_when_chain_is_the_first_to_notice_a_cancel(
    client: ContractClient, tmp_path: Path
) -> None:
    committed, cancelled = asyncio.Event(), asyncio.Event()

    async def step(run: Run) -> Outcome:
        if run.job.job_type == "csv_ingest" and not committed.is_set():
            run.data_commit_starts()
            committed.set()
            await cancelled.wait()
            await run.chain([ChildRequest("c", "emission_recalc", data_entry_type=20)])
        return Succeeded()

    job_types, scope = (
        ("unit_sync", "csv_ingest", "emission_recalc", "aggregation"),
        client.scope(module=2, data_entry_type=20, year=2024),
    )
    # No heartbeat says it earlier.
    async with working(tmp_path, step, job_types=job_types, beat_seconds=200.0):
        year = await client.submit("unit_sync", client.scope(year=2024), BLOB)
        await watched(client, year.pipeline_id)
        first = await client.submit("csv_ingest", scope, BLOB)
        await committed.wait()
        await client.cancel_pipeline(first.pipeline_id, "enough")
        following = await client.submit("csv_ingest", scope, BLOB)
        cancelled.set()
        view = await watched(client, following.pipeline_id)
    assert view.in_order()[0].result == types_pb2.JOB_RESULT_SUCCESS
    pipelines = (await client.list_pipelines()).pipelines
    # What it may have written is recomputed.
    assert [p.repair_of for p in pipelines if p.kind == "repair"] == [first.pipeline_id]


async def test_a_handler_outlives_its_first_lease(client: ContractClient, tmp_path: Path) -> None:
    def burn() -> None:
        ends_at = time.monotonic() + 6.0
        while time.monotonic() < ends_at:
            sum(range(10_000))

    async def step(run: Run) -> Outcome:
        await asyncio.to_thread(burn)
        run.check()
        return Succeeded()

    pipeline_id = await submit(client)
    async with working(tmp_path, step):
        view = await watched(client, pipeline_id)
    (job,) = view.in_order()
    assert (job.attempts, job.expiries) == (1, 0)


async def test_refusals_carry_reason_and_fields(client: ContractClient) -> None:
    with pytest.raises(ServerError) as refused:
        await client.submit("nothing", client.scope())
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert "job_type" in refused.value.fields
