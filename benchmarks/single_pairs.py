"""(a) Claim and finish by one client, one job at a time: what round trips and commits cost."""

import time
from statistics import mean, median

from benchmarks.bench_stack import running_bench
from benchmarks.fan_out import CHILDREN_PER_CHAIN, Planter
from benchmarks.figures import Figure
from benchmarks.reference import rows_per_second

TIMES = 3


async def measure(pairs: int) -> list[Figure]:
    """Pairs per second, median of three, beside the two commits of pgbench, before and after."""
    rates = []
    async with running_bench(1) as bench:
        worker = Planter(bench)
        await worker.plant((TIMES + 2) * max(pairs, CHILDREN_PER_CHAIN))
        await bench.run_sql("VACUUM ANALYZE")
        before = await rows_per_second(bench, "one_claim_one_finish.sql", pairs, batch=1)
        for _ in range(TIMES):
            began_at = time.perf_counter()
            for _ in range(pairs):
                await worker.finish(await worker.claim(1))
            rates.append(pairs / (time.perf_counter() - began_at))
        floor = mean((before, await rows_per_second(bench, "one_claim_one_finish.sql", pairs, 1)))
    name = "claim + finish, one job at a time"
    return [Figure(name, median(rates), "jobs/s", "pgbench, two commits", floor)]
