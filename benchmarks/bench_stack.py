"""The stack that is measured: durable PostgreSQL, the real scheduler, real worker processes."""

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from carbonline.client.channel import open_channel
from carbonline.local.programs import AnswersServing, Program, product_programs
from carbonline.local.settings import Addresses, StackSettings
from carbonline.local.stack import Stack, running_stack
from carbonline.v1 import operations_pb2, scheduler_pb2
from carbonline.v1.operations_pb2_grpc import OperationsServiceStub
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceStub

if TYPE_CHECKING:
    from carbonline.v1.operations_pb2_grpc import OperationsServiceAsyncStub
    from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceAsyncStub

TENANT = "bench"
CONCURRENCY = 1000
LOOK_AGAIN_SECONDS = 0.05
START_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Bench:
    """A running stack whose workers rest until they are wanted."""

    stack: Stack
    # Which of the stub's two classes it is shows in the types only.
    scheduler: "SchedulerServiceAsyncStub"
    operations: "OperationsServiceAsyncStub"

    async def start_workers(self, count: int) -> None:
        """Start that many and wait until the scheduler knows them."""
        known = await self._workers_seen()
        for number in range(1, count + 1):
            await self.stack.start(f"worker-{number}")
        async with asyncio.timeout(START_SECONDS_MAX):
            while await self._workers_seen() < known + count:  # noqa: ASYNC110 - it is asked for
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def stop_workers(self) -> None:
        """End whichever run."""
        for name in self.stack.names:
            if name.startswith("worker") and self.stack.child(name).running:
                await self.stack.stop(name)

    async def submit_noop(self) -> scheduler_pb2.SubmitResponse:
        """One pipeline of one job that does nothing."""
        return await self.scheduler.Submit(submit_request(), timeout=15)

    async def until_ended(self) -> None:
        """Wait until no pipeline is live."""
        query = "SELECT count(*) AS live FROM scheduler.pipelines WHERE status = 'LIVE'"
        while (await self.row(query))["live"]:  # noqa: ASYNC110 - it is asked for
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def row(self, query: str, *arguments: object) -> asyncpg.Record:
        """One row of the stack's database."""
        conn = await asyncpg.connect(self.stack.addresses.database_url)
        try:
            found = await conn.fetchrow(query, *arguments)
        finally:
            await conn.close()
        assert found is not None
        return found

    async def run_sql(self, *statements: str) -> None:
        """Statements for their effect, without any bound on their time."""
        conn = await asyncpg.connect(self.stack.addresses.database_url)
        try:
            for statement in statements:
                await conn.execute(statement, timeout=None)
        finally:
            await conn.close()

    async def _workers_seen(self) -> int:
        answer = await self.operations.ListWorkers(operations_pb2.ListWorkersRequest(), timeout=15)
        return len(answer.workers)


def submit_request() -> scheduler_pb2.SubmitRequest:
    """A Submit of a job that does nothing."""
    return scheduler_pb2.SubmitRequest(request_id=str(uuid.uuid4()), job_type="noop")


@asynccontextmanager
async def running_bench(workers: int, log_level: str = "warning") -> AsyncIterator[Bench]:
    """Everything in a temporary folder; at most `workers` worker processes.

    A line of log per job would be measured too, hence the level.
    """
    with tempfile.TemporaryDirectory(prefix="carbonline-bench-") as folder:
        settings = StackSettings(
            Path(folder),
            workers=workers,
            concurrency=CONCURRENCY,
            tenant=TENANT,
            environment={
                "CARBONLINE_NOOP": "1",
                "CARBONLINE_JOB_TYPES": "noop",
                "CARBONLINE_LOG_LEVEL": log_level,
            },
        )
        async with running_stack(settings, programs=_programs) as stack:
            address = stack.addresses.scheduler_address
            async with open_channel(address, retries=False) as channel:
                bench = Bench(stack, SchedulerServiceStub(channel), OperationsServiceStub(channel))
                await bench.stop_workers()
                yield bench


def _programs(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
    """Scheduler and workers as the product starts them; nothing here asks the ledger."""
    # A worker that may not log says nothing when it is ready; `start_workers` waits for it.
    ready = AnswersServing(addresses.scheduler_address)
    return [
        replace(program, ready=ready)
        for program in product_programs(settings, addresses)
        if program.name != "ledger"
    ]
