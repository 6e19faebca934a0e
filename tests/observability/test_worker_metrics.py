"""What Prometheus reads of a worker and of a ledger process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from prometheus_client import CollectorRegistry

from carbonline.client.channel import Credentials, open_channel
from carbonline.client.contract_client import ContractClient as PersonsClient
from carbonline.client.errors import ServerError
from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.metrics_port import Probes, metrics_served
from carbonline.v1 import types_pb2
from tests.observability.conftest import Observed, Scrapes, metrics_at
from tests.ports import free_ports
from tests.proxy.faulty_proxy import faulty_proxy
from worker_service.ledger_api.server import running_ledger
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.lease_keeper import BeatTiming
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater, Succeeded
from worker_service.mechanics.registry import check_registry
from worker_service.mechanics.run import Run
from worker_service.mechanics.serve import WorkerLimits, serve_jobs
from worker_service.metrics import WorkerMetrics
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity
from worker_service.settings import read_settings

LOG = structlog.wrap_logger(
    structlog.ReturnLogger(), wrapper_class=structlog.make_filtering_bound_logger(50)
)
LIMITS = WorkerLimits(
    concurrency=2,
    lease_seconds=2.0,
    beat=BeatTiming(beat_seconds=0.5, progress_seconds=0.2, phase_seconds=0.05),
)
LOCAL = types_pb2.Scope(tenant="local")


async def step(run: Run) -> Outcome:
    """As its payload orders."""
    match run.job.payload.get("end"), run.job.attempt:
        case "fails", _:
            return Failed("no_valid_rows", "all bad", {"rows": 7})
        case "comes back", 1:
            return RetryLater("busy", 0.05)
        case "for ever", _:
            await asyncio.Event().wait()
        case _:
            pass
    return Succeeded({"rows": 40}, warnings=run.job.payload.get("end") == "warns")


@asynccontextmanager
async def working(address: str, begun: asyncio.Event | None = None) -> AsyncIterator[Scrapes]:
    """A worker with metrics on a port; `begun` is set when it begins a job."""
    drain, registry, port = Drain(), CollectorRegistry(), free_ports(1)

    async def reporting_step(run: Run) -> Outcome:
        if begun is not None:
            begun.set()
        return await step(run)

    steps = check_registry([("noop", reporting_step)], ["noop"])
    run_ended = WorkerMetrics(registry).run_ended
    with metrics_served(registry, MetricsAddress(port), Probes()):
        async with open_channel(address, retries=False) as channel:
            scheduler = SchedulerClient(
                channel, WorkerIdentity(str(uuid4()), "b", "h"), Credentials(None)
            )
            serving = serve_jobs(scheduler, steps, LIMITS, drain, LOG, run_ended)
            task = asyncio.create_task(serving)
            try:
                yield Scrapes(port)
            finally:
                drain.request_once()
                drain.request()
                await task


async def test_runs_are_counted_by_their_end_and_rows_by_their_step(
    observed: Observed, tmp_path: Path
) -> None:
    for end in ("well", "well", "warns", "fails", "comes back"):
        await observed.client.submit("noop", LOCAL, {"end": end})
    jobs = "carbonline_worker_jobs_total"
    async with working(f"unix:{tmp_path}/s") as scrapes:
        await scrapes.becomes(lambda n: n == 3, jobs, job_type="noop", result="SUCCESS")
        await scrapes.becomes(lambda n: n == 1, jobs, job_type="noop", result="WARNING")
        await scrapes.becomes(lambda n: n == 1, jobs, job_type="noop", result="ERROR")
        assert await scrapes.value(jobs, job_type="noop", result="RETRY_LATER") == 1
        assert await scrapes.value("carbonline_worker_rows_total", job_type="noop") == 4 * 40 + 7
        assert await scrapes.value("carbonline_worker_step_seconds_count", job_type="noop") == 6


async def test_a_lost_lease_is_counted(observed: Observed, tmp_path: Path) -> None:
    await observed.client.submit("noop", LOCAL, {"end": "for ever"})
    begun = asyncio.Event()
    async with (
        faulty_proxy(tmp_path / "s", tmp_path / "p") as proxy,
        working(f"unix:{tmp_path}/p", begun) as scrapes,
    ):
        # Not only granted: an answer that is held up would leave the worker without a lease.
        await asyncio.wait_for(begun.wait(), 20)
        proxy.hold()
        stops = "carbonline_worker_stopped_runs_total"
        await scrapes.becomes(lambda n: n == 1, stops, reason="LEASE_OVER")
        proxy.let_through()


async def test_a_ledger_process_counts_its_calls(database_url: str, tmp_path: Path) -> None:
    port, address = free_ports(1), f"unix:{tmp_path}/l"
    settings = read_settings(
        {
            "CARBONLINE_DATABASE_URL": database_url,
            "CARBONLINE_LEDGER_ADDRESS": address,
            "CARBONLINE_BLOB_FOLDER": f"{tmp_path}/blobs",
            "CARBONLINE_METRICS_PORT": str(port),
        },
        "ledger",
    )
    async with (
        running_ledger(settings, LOG) as ledger,
        metrics_at(ledger.metrics.registry, settings.metrics),
        PersonsClient(address, address, tenant="local") as client,
    ):
        await client.list_modules()
        with pytest.raises(ServerError):
            _ = [chunk async for chunk in client.download_blob("blob:sha256:no")]
        calls, value = "carbonline_ledger_rpc_calls_total", Scrapes(port).value
        service = "carbonline.v1.LedgerService"
        assert await value(calls, method=f"{service}/ListModules", code="OK") == 1
        blobs = "carbonline.v1.BlobService/DownloadBlob"
        assert await value(calls, method=blobs, code="INVALID_ARGUMENT") == 1
