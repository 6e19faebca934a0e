"""(n) A node is lost with all its claims: how long until other workers may have the jobs."""

import asyncio

from benchmarks.bench_stack import Bench, running_bench
from benchmarks.fan_out import CHILDREN_PER_CHAIN, Planter
from benchmarks.figures import Figure

LOOK_AGAIN_SECONDS = 0.05
# Those that the node holds: all others have ended.
NOT_CLAIMABLE = """
SELECT count(*) FILTER (WHERE state <> 'QUEUED') AS jobs, count(*) AS all_of_them,
    extract(epoch FROM clock_timestamp())::float8 AS now
FROM scheduler.jobs WHERE pipeline_id = $1 AND child_key LIKE 'child%'
"""
LAST_LEASE = """
SELECT extract(epoch FROM max(lease_until))::float8 AS ends_at, count(*) AS claims
FROM scheduler.claims
"""


async def measure(jobs: int) -> list[Figure]:
    """Seconds from the end of the last lease until the last of so many jobs is claimable."""
    async with running_bench(1) as bench:
        node = Planter(bench)
        pipeline_id = await node.plant(jobs)
        for _ in range(0, jobs, CHILDREN_PER_CHAIN):
            await node.claim(CHILDREN_PER_CHAIN)
        lease = await bench.row(LAST_LEASE)
        assert lease["claims"] == jobs, "the node holds them all"
        back_at = await _all_claimable(bench, pipeline_id, jobs)
    name = f"{jobs:,} claims of a lost node, from the end of the lease until claimable"
    return [Figure(name, back_at - lease["ends_at"], "s", "promised", 5.0)]


async def _all_claimable(bench: Bench, pipeline_id: int, jobs: int) -> float:
    """When all are, by the clock of the database."""
    while True:
        row = await bench.row(NOT_CLAIMABLE, pipeline_id)
        assert row["all_of_them"] == jobs
        if row["jobs"] == 0:
            return float(row["now"])
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
