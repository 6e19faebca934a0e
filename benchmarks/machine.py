"""(m) The machine: pgbench on a slim table, by which figures of other machines are compared."""

from benchmarks.bench_stack import running_bench
from benchmarks.figures import Figure
from benchmarks.reference import rows_per_second

# A key, a state and what a claim needs: the least that a queue can be.
TABLE = """
CREATE TABLE slim.jobs (
    job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text NOT NULL,
    claim_token bigint,
    attempts integer NOT NULL DEFAULT 0,
    result text,
    started_at timestamptz,
    finished_at timestamptz
)"""
SLIM = (
    "CREATE SCHEMA slim",
    "CREATE SEQUENCE slim.tokens",
    TABLE,
    "CREATE INDEX queued_jobs ON slim.jobs (job_id) WHERE state = 'QUEUED'",
)


async def measure(rows: int) -> list[Figure]:
    """Rows per second of inserts, and of claim + compare-and-set, 100 per transaction."""
    async with running_bench(1) as bench:
        await bench.run_sql(*SLIM)
        inserted = await rows_per_second(bench, "slim_insert.sql", rows)
        await bench.run_sql("VACUUM ANALYZE slim.jobs")
        ended = await rows_per_second(bench, "slim_claim_and_finish.sql", rows)
    return [
        Figure("pgbench on a slim table, inserts", inserted, "rows/s"),
        Figure("pgbench on a slim table, claim + finish", ended, "jobs/s"),
    ]
