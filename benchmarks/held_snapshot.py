"""(g) Claim and finish of no-op jobs, minute by minute, while another session holds a snapshot."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import mean
from time import monotonic

import asyncpg

from benchmarks.bench_stack import Bench, running_bench
from benchmarks.drain_jobs import drained
from benchmarks.fan_out import Planter
from benchmarks.figures import Figure


@dataclass(frozen=True)
class Sizes:
    """How long, and how many jobs a round has. A round plants its jobs, and then drains them."""

    minutes: int
    seconds_per_minute: float = 60.0
    children: int = 20_000


async def measure(sizes: Sizes) -> list[Figure]:
    """Jobs per second of each minute, beside those of the same minute without a snapshot.

    No vacuum removes what is dead for others but not for the snapshot, such as the old rows of
    jobs and claims.
    """
    async with running_bench(1) as bench:
        reference = await _by_minute(bench, sizes)
    async with running_bench(1) as bench, _held_snapshot(bench):
        held = await _by_minute(bench, sizes)
    return [
        Figure(
            f"claim + finish, minute {minute} of a held snapshot", rate, "jobs/s", "without", beside
        )
        for minute, (rate, beside) in enumerate(zip(held, reference, strict=True), start=1)
    ]


@asynccontextmanager
async def _held_snapshot(bench: Bench) -> AsyncIterator[None]:
    conn = await asyncpg.connect(bench.stack.addresses.database_url)
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            before = await conn.fetchval("SELECT count(*) FROM scheduler.jobs")
            yield
            after = await conn.fetchval("SELECT count(*) FROM scheduler.jobs")
            assert before == after, "the snapshot was not held"
    finally:
        await conn.close()


async def _by_minute(bench: Bench, sizes: Sizes) -> Sequence[float]:
    """The mean rate of the rounds that begin in each minute; of a minute without any, the last."""
    rates: list[list[float]] = [[] for _ in range(sizes.minutes)]
    began_at = monotonic()
    while (minute := int((monotonic() - began_at) / sizes.seconds_per_minute)) < sizes.minutes:
        pipeline_id = await Planter(bench).plant(sizes.children)
        rates[minute].append(await drained(bench, pipeline_id, 1))
    for minute in range(1, sizes.minutes):
        rates[minute] = rates[minute] or rates[minute - 1]
    return [mean(one) for one in rates]
