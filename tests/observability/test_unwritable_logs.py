"""No log line decides anything: processes work as ever while none can be written."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from carbonline.client.channel import open_channel
from carbonline.client.contract_client import ContractClient
from carbonline.client.view import PipelineView
from carbonline.local.health import health_of
from carbonline.v1 import scheduler_pb2, scheduler_pb2_grpc, types_pb2
from tests.carbonline.serving.processes import PROGRAMS, settings_of
from tests.observability.conftest import Scrapes
from tests.ports import free_ports

FULL_DISK = Path("/dev/full")
STARTS_SECONDS_MAX = 30.0
pytestmark = pytest.mark.skipif(not FULL_DISK.exists(), reason="it needs the file /dev/full")


@asynccontextmanager
async def process(name: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program of the product, none of whose log lines can be written."""
    environment = {
        **{key: value for key, value in os.environ.items() if "CARBONLINE" not in key},
        **{f"CARBONLINE_{key}": value for key, value in settings.items()},
    }
    full = os.open(FULL_DISK, os.O_WRONLY)
    started = await asyncio.create_subprocess_exec(
        sys.executable, *PROGRAMS[name], env=environment, stdout=full, stderr=full
    )
    os.close(full)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> dict[str, str]:
    times = {"LEASE_SECONDS": "2", "BEAT_SECONDS": "0.5", "SWEEP_SECONDS": "0.25"}
    # An ordinary run of noop logs at info; the expiry of a lease is a warning.
    return {**settings_of(database_url, tmp_path), **times, "NOOP": "1"}


async def test_jobs_run_and_leases_expire_though_no_line_can_be_written(
    settings: dict[str, str],
) -> None:
    port, address = free_ports(1), settings["SCHEDULER_ADDRESS"]
    async with (
        process("scheduler", **settings, METRICS_PORT=str(port)) as scheduler,
        open_channel(address, retries=False) as channel,
        ContractClient(address, address, tenant="local") as client,
    ):
        await health_of(channel, STARTS_SECONDS_MAX, wait_for_ready=True)
        submitted = await client.submit("noop", types_pb2.Scope(tenant="local"))
        claim = scheduler_pb2.ClaimRequest(
            worker_id=str(uuid4()),
            request_id=str(uuid4()),
            job_types=["noop"],
            max_jobs=1,
            build_id="test",
        )
        stub = scheduler_pb2_grpc.SchedulerServiceStub(channel)
        assert len((await stub.Claim(claim)).jobs) == 1, "nobody renews this one's lease"
        async with process("worker", **settings, JOB_TYPES="noop") as worker, asyncio.timeout(60):
            view = PipelineView()
            async for event in client.watch(submitted.pipeline_id):
                view.apply(event)
            assert view.pipeline is not None
            assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
            worker.terminate()
            assert await worker.wait() == 0
        assert await Scrapes(port).value("carbonline_log_lines_lost_total") > 0
        scheduler.terminate()
        assert await scheduler.wait() == 0


async def test_the_ledger_process_serves_and_ends_in_order(settings: dict[str, str]) -> None:
    address = settings["LEDGER_ADDRESS"]
    async with (
        process("ledger", **settings) as ledger,
        open_channel(address, retries=False) as channel,
    ):
        async with asyncio.timeout(STARTS_SECONDS_MAX):
            while await health_of(channel, STARTS_SECONDS_MAX, wait_for_ready=True) != "SERVING":
                pass
        ledger.terminate()
        assert await ledger.wait() == 0
