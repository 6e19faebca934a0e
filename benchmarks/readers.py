"""(f) Many readers over many pipelines, and one pipeline locked: how long workers' calls take."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from benchmarks.bench_stack import Bench, running_bench, submit_request
from benchmarks.drain_jobs import grow
from benchmarks.fan_out import Planter
from benchmarks.figures import Figure, percentile
from carbonline.v1 import operations_pb2
from carbonline.v1 import scheduler_pb2 as pb

BEATS_PER_SECOND, FINISHES_PER_SECOND = 50, 20
# Jobs of one heartbeat.
HELD = 20
CANCELS = 8
CALL_SECONDS_MAX = 30.0
# Longer than the pipeline is locked.
WAIT_SECONDS_MAX = 120.0


@dataclass(frozen=True)
class Sizes:
    """How much is read, by how many, and for how long."""

    pipelines: int
    readers: int
    seconds: float


@dataclass
class Load:
    """Calls of workers at an even pace, and how long each took from its moment on."""

    planter: Planter
    held: Sequence[pb.ClaimedJob]
    beats: list[float] = field(default_factory=list)
    finishes: list[float] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Beat and finish for so long, whether the calls before are answered or not."""
        jobs = iter(await claimed(self.planter, int(seconds * FINISHES_PER_SECOND)))
        await asyncio.gather(
            self._paced(seconds, BEATS_PER_SECOND, self._beat, self.beats),
            self._paced(
                seconds,
                FINISHES_PER_SECOND,
                lambda: self.planter.finish([next(jobs)]),
                self.finishes,
            ),
        )

    async def _beat(self) -> None:
        request = pb.HeartbeatRequest(
            worker_id=self.planter.worker_id,
            beats=[
                pb.ClaimBeat(job_id=job.job.job_id, claim_token=job.claim_token)
                for job in self.held
            ],
        )
        answer = await self.planter.bench.scheduler.Heartbeat(request, timeout=CALL_SECONDS_MAX)
        assert {a.directive for a in answer.answers} == {pb.CLAIM_DIRECTIVE_CONTINUE}

    async def _paced(
        self,
        seconds: float,
        per_second: int,
        call: Callable[[], Awaitable[object]],
        took: list[float],
    ) -> None:
        began_at = time.perf_counter()

        async def timed(due: float) -> None:
            await call()
            took.append((time.perf_counter() - due) * 1000)

        async with asyncio.TaskGroup() as calls:
            for number in range(int(seconds * per_second)):
                due = began_at + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                calls.create_task(timed(due))


async def claimed(planter: Planter, count: int) -> Sequence[pb.ClaimedJob]:
    """Jobs of as many pipelines, in the planter's hands."""
    batch = pb.BatchSubmitRequest(requests=[submit_request() for _ in range(count)])
    await planter.bench.scheduler.BatchSubmit(batch, timeout=CALL_SECONDS_MAX)
    return await planter.claim(count)


async def measure(sizes: Sizes) -> list[Figure]:
    """Heartbeats and Finishes, beside what they took before anybody read."""
    async with running_bench(1) as bench:
        planter = Planter(bench)
        await planter.finish(await claimed(planter, 1))
        await grow(bench, sizes.pipelines)
        held = await claimed(planter, HELD)
        idle, busy = Load(planter, held), Load(planter, held)
        await idle.run(sizes.seconds / 3)
        (victim,) = await claimed(planter, 1)
        async with AsyncExitStack() as stack:
            read = await stack.enter_async_context(_readers(bench, sizes.readers))
            await stack.enter_async_context(_locked(bench, planter, victim))
            await busy.run(sizes.seconds)
    who = f"{sizes.readers} readers of {sizes.pipelines:,} pipelines, one locked"
    return [
        *_beside_idle(f"{who}: heartbeat", busy.beats, idle.beats),
        *_beside_idle(f"{who}: Finish of another", busy.finishes, idle.finishes),
        Figure("reads answered", read["answered"] / read["seconds"], "a second"),
        Figure("reads refused or ended", read["refused"] / read["seconds"], "a second"),
        Figure("reads, p50", read["p50"], "ms"),
        Figure("reads, p99", read["p99"], "ms"),
    ]


def _beside_idle(name: str, busy: Sequence[float], idle: Sequence[float]) -> list[Figure]:
    return [
        Figure(f"{name}, {called}", percentile(busy, share), "ms", "idle", percentile(idle, share))
        for called, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1.0))
    ]


@asynccontextmanager
async def _readers(bench: Bench, readers: int) -> AsyncIterator[dict[str, Any]]:
    """So many readers in a process of their own; filled at the end with what they did."""
    address = bench.stack.addresses.scheduler_address
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.reading", address, str(readers)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    told: dict[str, Any] = {}
    try:
        assert await process.stdout.readline() == b"reading\n"
        yield told
    finally:
        said, _ = await process.communicate(b"")
        told.update(json.loads(said or b"{}"))


@asynccontextmanager
async def _locked(bench: Bench, planter: Planter, job: pb.ClaimedJob) -> AsyncIterator[None]:
    """While it lasts, a pipeline is locked, and calls that need it wait."""
    conn = await asyncpg.connect(bench.stack.addresses.database_url)
    cancel = operations_pb2.CancelPipelineRequest(pipeline_id=job.job.pipeline_id, reason="bench")
    waiting: list[asyncio.Future[Any]] = []
    try:
        async with conn.transaction():
            await conn.execute(
                "SELECT FROM scheduler.pipelines WHERE pipeline_id = $1 FOR UPDATE",
                job.job.pipeline_id,
            )
            finish = bench.scheduler.Finish(planter.success_of(job), timeout=WAIT_SECONDS_MAX)
            waiting.append(asyncio.ensure_future(finish))
            waiting += [
                asyncio.ensure_future(
                    bench.operations.CancelPipeline(cancel, timeout=WAIT_SECONDS_MAX)
                )
                for _ in range(CANCELS)
            ]
            yield
            assert not waiting[0].done(), "the pipeline was not locked"
    finally:
        await conn.close()
        await asyncio.gather(*waiting, return_exceptions=True)
