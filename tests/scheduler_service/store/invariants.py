"""The invariants of the job table, as queries that must find nothing."""

import asyncpg

INVARIANTS = {
    "a job belongs to a pipeline, and to its tenant": """
        SELECT j.job_id FROM scheduler.jobs AS j
        LEFT JOIN scheduler.pipelines AS p USING (pipeline_id)
        WHERE p.tenant IS DISTINCT FROM j.tenant""",
    "a pipeline's live counter equals its live jobs, own and joined, and its held children": """
        SELECT p.pipeline_id, p.live_jobs FROM scheduler.pipelines AS p
        WHERE p.live_jobs <> (
            SELECT count(*) FROM (
                SELECT j.job_id FROM scheduler.jobs AS j
                WHERE j.pipeline_id = p.pipeline_id AND j.state <> 'FINISHED'
                UNION
                SELECT j.job_id FROM scheduler.job_links AS l
                JOIN scheduler.jobs AS j USING (job_id)
                WHERE l.pipeline_id = p.pipeline_id AND l.left_version IS NULL
                    AND j.state <> 'FINISHED') AS live)
            + (SELECT count(*) FROM scheduler.held_children AS h
                WHERE h.pipeline_id = p.pipeline_id)""",
    "a pipeline's finished counter equals its finished jobs": """
        SELECT p.pipeline_id, p.finished_jobs FROM scheduler.pipelines AS p
        WHERE p.counted_version = p.version
            AND p.finished_jobs <> scheduler.finished_jobs_of(p.pipeline_id)""",
    "a running job has exactly the claim it names, and that claim does not drain": """
        SELECT j.job_id FROM scheduler.jobs AS j
        LEFT JOIN scheduler.claims AS c ON c.claim_token = j.claim_token
        WHERE j.state = 'RUNNING' AND (c.job_id IS DISTINCT FROM j.job_id OR c.draining)""",
    "a claim that does not drain is held by a running job": """
        SELECT c.claim_token FROM scheduler.claims AS c
        LEFT JOIN scheduler.jobs AS j ON j.claim_token = c.claim_token
        WHERE NOT c.draining AND j.state IS DISTINCT FROM 'RUNNING'""",
    "a key's first job is its oldest live job": """
        SELECT k.exclusive_key FROM scheduler.exclusive_keys AS k
        WHERE k.first_job_id IS DISTINCT FROM (
            SELECT j.job_id FROM scheduler.jobs AS j
            WHERE j.exclusive_key = k.exclusive_key AND j.state <> 'FINISHED'
            ORDER BY j.key_number, j.job_id LIMIT 1)""",
    "whoever is claimable or running is first of its key": """
        SELECT j.job_id FROM scheduler.jobs AS j
        JOIN scheduler.exclusive_keys AS k USING (exclusive_key)
        WHERE j.state IN ('QUEUED', 'RUNNING') AND k.first_job_id <> j.job_id""",
    "no job behind a drain is claimable": """
        SELECT j.job_id FROM scheduler.jobs AS j
        JOIN scheduler.exclusive_keys AS k USING (exclusive_key)
        WHERE j.state = 'QUEUED' AND k.drain_token IS NOT NULL""",
    "the first of a free key whose time has come is claimable": """
        SELECT j.job_id FROM scheduler.exclusive_keys AS k
        JOIN scheduler.jobs AS j ON j.job_id = k.first_job_id
        WHERE k.drain_token IS NULL AND j.state = 'NOT_STARTED' AND j.run_after IS NULL""",
    "a job without a key never waits but for its time": """
        SELECT j.job_id FROM scheduler.jobs AS j
        WHERE j.state = 'NOT_STARTED' AND j.exclusive_key IS NULL AND j.run_after IS NULL""",
    "staged children belong to a live claim": """
        SELECT s.parent_job_id FROM scheduler.staged_children AS s
        LEFT JOIN scheduler.jobs AS j
            ON j.job_id = s.parent_job_id AND j.claim_token = s.claim_token
        WHERE j.state IS DISTINCT FROM 'RUNNING'""",
    "a held child waits for something": """
        SELECT w.pipeline_id FROM scheduler.held_children AS w
        WHERE NOT EXISTS (
            SELECT FROM scheduler.jobs AS j
            LEFT JOIN scheduler.job_links AS l
                ON l.job_id = j.job_id AND l.left_version IS NULL
            WHERE w.pipeline_id IN (j.pipeline_id, l.pipeline_id)
                AND j.job_type = 'emission_recalc' AND j.state <> 'FINISHED'
                AND j.module = w.module AND j.year = w.year)""",
    "no change is newer than its pipeline's version": """
        SELECT j.job_id FROM scheduler.jobs AS j JOIN scheduler.pipelines AS p USING (pipeline_id)
        WHERE j.changed_version > p.version
        UNION ALL
        SELECT l.job_id FROM scheduler.job_links AS l
        JOIN scheduler.pipelines AS p USING (pipeline_id)
        WHERE l.changed_version > p.version""",
    "a job that ended dark and badly is followed by a repair or its scope has none": """
        SELECT j.job_id FROM scheduler.jobs AS j
        WHERE j.in_doubt_token IS NOT NULL AND j.state = 'FINISHED'
            AND j.result IN ('ERROR', 'CANCELLED')
            AND j.job_type IN ('csv_ingest', 'factor_ingest', 'emission_recalc')
            AND NOT EXISTS (SELECT FROM scheduler.claims AS c WHERE c.claim_token = j.last_token)
            AND NOT EXISTS (
                SELECT FROM scheduler.job_events AS e
                WHERE e.job_id = j.job_id AND e.event = 'repair')
            AND EXISTS (
                SELECT FROM scheduler.years AS y
                WHERE y.tenant = j.tenant AND y.year = j.year AND y.locked_at IS NULL)""",
    "attempts are within bounds": """
        SELECT job_id FROM scheduler.jobs WHERE attempts > attempts_max""",
}


async def broken_invariants(pool: "asyncpg.Pool[asyncpg.Record]") -> dict[str, list[object]]:
    """The invariants that do not hold, each with the rows that break it."""
    broken: dict[str, list[object]] = {}
    for sentence, query in INVARIANTS.items():
        rows = await pool.fetch(query)
        if rows:
            broken[sentence] = [tuple(row) for row in rows]
    return broken
