"""(e) Many watchers of a scheduler: connections, memory, and how late they hear of a change."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench_stack import Bench, running_bench
from benchmarks.fan_out import Planter
from benchmarks.figures import Figure, percentile
from carbonline.client.channel import open_channel
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceStub

if TYPE_CHECKING:
    from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceAsyncStub

PIPELINES = 50
CHANNELS = 8
AT_ONCE = 500
CHANGES_PER_SECOND = 20
SCHEDULER_CONNECTIONS = (
    "SELECT count(*) AS connections FROM pg_stat_activity"
    " WHERE application_name LIKE 'carbonline scheduler%'"
    " OR application_name = 'carbonline listener'"
)


@dataclass
class Audience:
    """Watchers of some pipelines, and what they have heard."""

    ready: int = 0
    delays: list[float] = field(default_factory=list)
    # A server cancels calls if thousands begin at once; clients that reconnect are spread, too.
    beginning: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def watch(self, stub: "SchedulerServiceAsyncStub", pipeline_id: int) -> None:
        """Follow a pipeline until cancelled."""
        await self.beginning.acquire()
        call = stub.WatchPipeline(pb.WatchPipelineRequest(pipeline_id=pipeline_id))
        async for message in call:
            if message.WhichOneof("message") == "snapshot":
                self.ready += 1
                self.beginning.release()
            elif message.WhichOneof("message") == "change":
                ended = [job.finished_at.ToNanoseconds() for job in message.change.jobs]
                self.delays.append(time.time() - max(ended) / 1e9)


async def measure(counts: Sequence[int], changes: int) -> list[Figure]:
    """For each number of watchers, with so many changes of their pipelines."""
    figures = []
    for count in counts:
        async with running_bench(1) as bench, AsyncExitStack() as stack:
            address = bench.stack.addresses.scheduler_address
            channels = [
                await stack.enter_async_context(
                    open_channel(address, retries=True, own_connection=True)
                )
                for _ in range(CHANNELS)
            ]
            stubs = [SchedulerServiceStub(channel) for channel in channels]
            figures += await _measured(bench, stubs, count, changes)
    return figures


async def _measured(
    bench: Bench, stubs: "Sequence[SchedulerServiceAsyncStub]", count: int, changes: int
) -> list[Figure]:
    planter = Planter(bench)
    children = 2 + changes // PIPELINES
    jobs = [await planter.plant_one(children) for _ in range(PIPELINES)]
    connections_before = (await bench.row(SCHEDULER_CONNECTIONS))["connections"]
    memory_before = _resident_bytes(bench.stack.pid("scheduler"))
    audience = Audience()
    watches = [
        asyncio.create_task(
            audience.watch(stubs[n % CHANNELS], jobs[n % PIPELINES][0].job.pipeline_id)
        )
        for n in range(count)
    ]
    try:
        async with asyncio.timeout(120):
            while audience.ready < count:  # noqa: ASYNC110 - counted by many tasks
                await asyncio.sleep(0.05)
        await _change(planter, jobs, changes)
        async with asyncio.timeout(60):
            while len(audience.delays) < changes * count // PIPELINES:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        connections = (await bench.row(SCHEDULER_CONNECTIONS))["connections"]
        memory = _resident_bytes(bench.stack.pid("scheduler")) - memory_before
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
    who = f"{count:,} watchers"
    delays = [delay * 1000 for delay in audience.delays]
    return [
        Figure(f"{who}, database connections more", connections - connections_before, ""),
        Figure(f"{who}, scheduler's memory more", memory / 1e6, "MB"),
        Figure(f"{who}, change to watcher, p50", percentile(delays, 0.5), "ms"),
        Figure(f"{who}, change to watcher, p99", percentile(delays, 0.99), "ms"),
    ]


async def _change(planter: Planter, jobs: Sequence[Sequence[pb.ClaimedJob]], count: int) -> None:
    """End one job after the other, of one pipeline after the other, at an even pace."""
    began_at = time.perf_counter()
    for number in range(count):
        await planter.finish([jobs[number % PIPELINES][number // PIPELINES]])
        pause = began_at + (number + 1) / CHANGES_PER_SECOND - time.perf_counter()
        await asyncio.sleep(max(0.0, pause))


def _resident_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kilobytes) * 1024
