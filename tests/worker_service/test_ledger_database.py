"""A worker whose ledger is not up when it starts, is known to the scheduler all the same."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1 import types_pb2
from carbonline.v1.operations_pb2_grpc import OperationsServiceStub
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.processes import PROGRAMS, SECONDS_MAX, process, settings_of
from tests.carbonline.serving.starting_postgres import StartingPostgres, starting_postgres

REASON = "ledger: CannotConnectNowError: the database system is starting up"


@dataclass
class StartingWorker:
    """A worker process, its ledger's database, and what the scheduler says of workers."""

    process: Process
    ledger: StartingPostgres
    operations: Any

    async def until(self, seen: Callable[[Sequence[types_pb2.Worker]], bool]) -> None:
        """Returns as soon as the list of workers is as wanted."""
        async with asyncio.timeout(SECONDS_MAX):
            while not seen((await self.operations.ListWorkers(pb.ListWorkersRequest())).workers):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def end(self) -> int:
        """Tells the process to end; its exit code."""
        self.process.terminate()
        await asyncio.wait_for(self.process.communicate(), SECONDS_MAX)
        assert self.process.returncode is not None
        return self.process.returncode


@pytest.fixture
async def worker(database_url: str, tmp_path: Path) -> AsyncIterator[StartingWorker]:
    async with (
        running_scheduler(database_url, tmp_path) as operations,
        starting_postgres(database_url, tmp_path) as (ledger, url),
        process(*PROGRAMS["worker"], **settings_of(url, tmp_path), BEAT_SECONDS="0.2") as started,
    ):
        yield StartingWorker(started, ledger, operations)


@asynccontextmanager
async def running_scheduler(database_url: str, folder: Path) -> AsyncIterator[Any]:
    settings = Settings(database_url, f"unix:{folder}/s")
    async with (
        running_server(replace(settings, sweep_seconds=0.5), open_log("error")),
        grpc.aio.insecure_channel(settings.address) as channel,
    ):
        yield OperationsServiceStub(channel)


def is_not_ready(workers: Sequence[types_pb2.Worker]) -> bool:
    return [(worker.state, worker.not_ready) for worker in workers] == [
        (types_pb2.WORKER_STATE_NOT_READY, REASON)
    ]


def is_live(workers: Sequence[types_pb2.Worker]) -> bool:
    return [(worker.state, worker.not_ready) for worker in workers] == [
        (types_pb2.WORKER_STATE_LIVE, "")
    ]


async def test_a_worker_that_waits_for_its_ledger_is_listed_until_it_is_ready(
    worker: StartingWorker,
) -> None:
    await worker.until(is_not_ready)
    (listed,) = (await worker.operations.ListWorkers(pb.ListWorkersRequest())).workers
    assert "csv_ingest" in listed.job_types
    assert listed.build_id
    worker.ledger.is_up.set()
    await worker.until(is_live)
    assert await worker.end() == 0


async def test_a_worker_that_ends_while_it_waits_is_not_shown_as_lost(
    worker: StartingWorker,
) -> None:
    await worker.until(is_not_ready)
    assert await worker.end() == 0
    await worker.until(lambda workers: not workers)
