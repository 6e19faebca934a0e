"""What a scheduler wrote before its tables were renamed is there under the new names, and back."""

import asyncpg

from carbonline.migrations.run import downgrade, upgrade

BEFORE, HERE = "0009", "0010"
WRITTEN_BEFORE = (
    """
    INSERT INTO scheduler.pipelines (pipeline_id, tenant, kind, status, version, live_jobs,
        failed_jobs, warned_jobs, root_job_id, submitted_by, created_at)
    VALUES (1, 'local', 'csv_ingest', 'LIVE', 1, 2, 0, 0, 7, 'local', scheduler.clock())
    """,
    """
    INSERT INTO scheduler.jobs (job_id, pipeline_id, tenant, job_type, state, priority, fair_stamp,
        attempts_max, lapses, dark_token, changed_version, created_at)
    VALUES (7, 1, 'local', 'csv_ingest', 'QUEUED', 5, 1, 5, 3, 41, 1, scheduler.clock())
    """,
    "INSERT INTO scheduler.wishes VALUES (1, 'aggregation', 2, 2024, 7, 'totals')",
    "INSERT INTO scheduler.dark_scopes VALUES ('local', 'entries/2/2024', 41)",
    "INSERT INTO scheduler.sweep_runs VALUES ('lapse', '2024-02-29')",
)
READ_NOW = {
    "SELECT expiries FROM scheduler.job_summaries WHERE job_id = 7": 3,
    "SELECT in_doubt_token FROM scheduler.jobs_in_brief WHERE job_id = 7": 41,
    "SELECT child_key FROM scheduler.held_children": "totals",
    "SELECT close_through FROM scheduler.ledger_scopes_in_doubt": 41,
    "SELECT CAST(last_run_at AS date)::text FROM scheduler.sweep_runs WHERE sweep = 'expiry'": (
        "2024-02-29"
    ),
}
READ_BEFORE = {
    "SELECT lapses + dark_token FROM scheduler.job_cards WHERE job_id = 7": 44,
    "SELECT child_key FROM scheduler.wishes": "totals",
    "SELECT close_through FROM scheduler.dark_scopes": 41,
    "SELECT CAST(last_run_at AS date)::text FROM scheduler.sweep_runs WHERE sweep = 'lapse'": (
        "2024-02-29"
    ),
}


async def test_what_was_written_before_is_read_by_the_new_names_and_back(url: str) -> None:
    await upgrade(url, "scheduler", BEFORE)
    connection = await asyncpg.connect(url)
    try:
        for statement in WRITTEN_BEFORE:
            await connection.execute(statement)
        await upgrade(url, "scheduler", HERE)
        assert {query: await connection.fetchval(query) for query in READ_NOW} == READ_NOW
        await downgrade(url, "scheduler", BEFORE)
        assert {query: await connection.fetchval(query) for query in READ_BEFORE} == READ_BEFORE
    finally:
        await connection.close()
