"""(b) Submit one by one with many in flight, and BatchSubmit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import TypeVar

from benchmarks.bench_stack import Bench, running_bench, submit_request
from benchmarks.figures import Figure
from benchmarks.reference import rows_per_second
from carbonline.v1 import scheduler_pb2 as pb

SINGLES_IN_FLIGHT = 64
BATCHES_IN_FLIGHT = 4
BATCH = 1_000
CALL_SECONDS = 30
TIMES = 3
SUBMITTED = "scheduler.jobs, scheduler.pipelines, scheduler.submit_requests"

Request = TypeVar("Request")


@dataclass(frozen=True)
class Sizes:
    """How many pipelines are submitted in each way."""

    singles: int
    batched: int


async def measure(sizes: Sizes) -> list[Figure]:
    """Submits per second, medians of three, each with what pgbench inserts into the same tables
    before and after.
    """
    async with running_bench(1) as bench:
        await bench.submit_noop()
        before = await rows_per_second(bench, "insert_rows.sql", sizes.batched)
        # What the reference left behind is not for the measured to clear up.
        await bench.run_sql("VACUUM ANALYZE")
        singles = median([await _singles(bench, sizes.singles) for _ in range(TIMES)])
        batched = median([await _batched_alone(bench, sizes.batched) for _ in range(TIMES)])
        floor = mean((before, await rows_per_second(bench, "insert_rows.sql", sizes.batched)))
    name = "pgbench, 100 rows at a time"
    return [
        Figure(f"Submit, {SINGLES_IN_FLIGHT} in flight", singles, "pipelines/s", name, floor),
        Figure(f"BatchSubmit of {BATCH:,}", batched, "pipelines/s", name, floor),
    ]


async def _singles(bench: Bench, count: int) -> float:
    async def submit(request: pb.SubmitRequest) -> None:
        answer = await bench.scheduler.Submit(request, timeout=CALL_SECONDS)
        assert answer.pipeline_id

    requests = [submit_request() for _ in range(count)]
    return count / await _seconds_for_all(submit, requests, SINGLES_IN_FLIGHT)


async def _batched_alone(bench: Bench, count: int) -> float:
    # Nothing runs what was submitted, and a tenant has at most so many jobs that wait.
    await bench.run_sql(f"TRUNCATE {SUBMITTED} CASCADE", "VACUUM ANALYZE")
    return await _batched(bench, count)


async def _batched(bench: Bench, count: int) -> float:
    async def submit(request: pb.BatchSubmitRequest) -> None:
        answer = await bench.scheduler.BatchSubmit(request, timeout=CALL_SECONDS)
        assert all(result.HasField("response") for result in answer.results)

    requests = [
        pb.BatchSubmitRequest(requests=[submit_request() for _ in range(BATCH)])
        for _ in range(count // BATCH)
    ]
    return len(requests) * BATCH / await _seconds_for_all(submit, requests, BATCHES_IN_FLIGHT)


async def _seconds_for_all(
    send: Callable[[Request], Awaitable[None]], requests: Sequence[Request], in_flight: int
) -> float:
    """Each of so many callers sends the next request when its last one is answered."""

    async def caller(left: Iterator[Request]) -> None:
        for request in left:
            await send(request)

    left = iter(requests)
    began_at = time.perf_counter()
    await asyncio.gather(*(caller(left) for _ in range(in_flight)))
    return time.perf_counter() - began_at
