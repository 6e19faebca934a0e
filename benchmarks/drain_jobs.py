"""(a) Claim and finish of no-op jobs of one pipeline, on a fresh table and over a full one."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.bench_stack import Bench, running_bench
from benchmarks.fan_out import Planter
from benchmarks.figures import Figure
from benchmarks.reference import rows_per_second

# Copies whole pipelines; their numbers are shifted beyond all that were drawn.
GROW = """
INSERT INTO scheduler.{table} ({columns})
SELECT {selected} FROM scheduler.{table} AS t, generate_series(1, {copies}) AS copy
WHERE t.pipeline_id = {pipeline_id}
"""


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    children: int
    finished: int
    workers: Sequence[int] = (1, 2)


async def measure(sizes: Sizes) -> list[Figure]:
    """Jobs per second, each with what pgbench did on the same tables, before and after."""
    figures = []
    async with running_bench(max(sizes.workers)) as bench:
        for rows in (0, sizes.finished):
            if rows:
                await grow(bench, rows)
            before = await _floor(bench, sizes.children)
            rates = {}
            for workers in sizes.workers:
                pipeline_id = await Planter(bench).plant(sizes.children)
                rates[workers] = await drained(bench, pipeline_id, workers)
            floor = mean((before, await _floor(bench, sizes.children)))
            for workers, rate in rates.items():
                what = f"{workers} worker process{'es' * (workers > 1)}"
                over = f", over {rows:,} finished rows" if rows else ""
                figures.append(
                    Figure(f"claim + finish, {what}{over}", rate, "jobs/s", "pgbench", floor)
                )
    return figures


async def _floor(bench: Bench, jobs: int) -> float:
    """What pgbench does with jobs that were planted as the workers' own are."""
    pipeline_id = await Planter(bench).plant(jobs)
    await bench.run_sql("VACUUM ANALYZE")
    rate = await rows_per_second(bench, "claim_and_finish.sql", jobs)
    # pgbench keeps no pipeline's counters.
    await bench.run_sql(
        "UPDATE scheduler.pipelines SET live_jobs = 0, status = 'SUCCESS', version = version + 1,"
        f" finished_at = statement_timestamp() WHERE pipeline_id = {pipeline_id}"
    )
    return rate


async def drained(bench: Bench, pipeline_id: int, workers: int) -> float:
    """Jobs per second between the first claim and the last finish of the pipeline's leaves."""
    await bench.run_sql("VACUUM ANALYZE")
    await bench.start_workers(workers)
    await bench.until_ended()
    await bench.stop_workers()
    row = await bench.row(
        "SELECT count(*) AS jobs, min(attempts) = 1 AND max(attempts) = 1 AS at_once,"
        " extract(epoch FROM max(finished_at) - min(started_at))::float8 AS seconds"
        " FROM scheduler.jobs WHERE pipeline_id = $1 AND child_key LIKE 'child%'",
        pipeline_id,
    )
    assert row["at_once"], "some jobs were claimed twice"
    return float(row["jobs"] / row["seconds"])


async def grow(bench: Bench, rows: int) -> None:
    """Clone the first pipeline, which RPCs made and workers ended, to about so many rows."""
    row = await bench.row(
        "SELECT pipeline_id, count(*) AS jobs, max(job_id) AS last FROM scheduler.jobs"
        " WHERE state = 'FINISHED' GROUP BY pipeline_id ORDER BY pipeline_id LIMIT 1"
    )
    copies, step = max(1, rows // row["jobs"]), row["last"] + 1_000_000
    shifted = {"pipeline_id", "job_id", "root_job_id", "parent_job_id"}
    statements = []
    for table in ("pipelines", "jobs"):
        found = await bench.row(
            "SELECT array_agg(column_name::text) AS names FROM information_schema.columns"
            " WHERE table_schema = 'scheduler' AND table_name = $1",
            table,
        )
        selected = [
            f"t.{n} + CAST(copy AS bigint) * {step}" if n in shifted else f"t.{n}"
            for n in found["names"]
        ]
        statements.append(
            GROW.format(
                table=table,
                columns=", ".join(found["names"]),
                selected=", ".join(selected),
                copies=copies,
                pipeline_id=row["pipeline_id"],
            )
        )
    last = (copies + 1) * step
    statements += [f"SELECT setval('scheduler.{n}', {last})" for n in ("pipeline_ids", "job_ids")]
    await bench.run_sql(*statements, "VACUUM ANALYZE", "CHECKPOINT")
