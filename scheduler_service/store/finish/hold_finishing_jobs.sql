-- Look at the jobs that some claims want to end, and lock what their end touches: the years that
-- it may release jobs into, then the pipelines, owners and who joined. One row per job, which has a
-- number, one per pipeline and one per year. Who is not the claim's holder is left out. What is
-- said of jobs is as old as this statement: pipelines may have been waited for.
WITH held AS MATERIALIZED (
    SELECT n.number, j.job_id, j.pipeline_id, j.tenant, j.job_type, j.module, j.data_entry_type,
        j.year, j.unit, j.reference_kind, j.coalesce_key, j.exclusive_key, j.priority,
        -- With a LIMIT it is looked up for each; EXISTS might be answered from a list of all.
        (
            SELECT true FROM scheduler.staged_children AS s
            WHERE s.parent_job_id = n.job_id AND s.claim_token = n.claim_token
            LIMIT 1
        ) IS NOT NULL AS has_children
    FROM unnest(
        CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]), CAST(:worker_ids AS uuid[]),
        CAST(:principals AS text[])
    ) WITH ORDINALITY AS n (job_id, claim_token, worker_id, principal, number)
    JOIN scheduler.jobs AS j
        ON j.job_id = n.job_id AND j.claim_token = n.claim_token AND j.worker_id = n.worker_id
    -- No join: a plan for it might read all claims.
    WHERE n.principal = (
        SELECT c.principal FROM scheduler.claims AS c WHERE c.claim_token = n.claim_token
    )
), years AS MATERIALIZED (
    SELECT y.tenant, y.year, y.locked_at IS NOT NULL AS locked
    FROM (
        SELECT h.tenant, h.year FROM held AS h WHERE h.job_type = ANY(CAST(:year_types AS text[]))
        UNION
        SELECT h.tenant, o.year FROM held AS h JOIN scheduler.years AS o ON o.tenant = h.tenant
        WHERE h.reference_kind IS NOT NULL
    ) AS wanted
    JOIN scheduler.years AS y ON y.tenant = wanted.tenant AND y.year = wanted.year
    ORDER BY y.tenant, y.year
    FOR SHARE OF y
), locked AS MATERIALIZED (
    SELECT p.pipeline_id, p.tenant, p.version, p.live_jobs, p.failed_jobs, p.warned_jobs,
        p.root_job_id, p.cancelled_at IS NOT NULL AS cancelled,
        CASE WHEN p.counted_version = p.version THEN p.finished_jobs END AS finished_jobs,
        CASE WHEN p.counted_version = p.version THEN p.failed_job_id END AS failed_job_id
    FROM scheduler.pipelines AS p
    WHERE p.pipeline_id = ANY(ARRAY(
            SELECT h.pipeline_id FROM held AS h
            UNION
            SELECT l.pipeline_id
            FROM held AS h JOIN scheduler.job_links AS l ON l.job_id = h.job_id
            WHERE h.coalesce_key IS NOT NULL AND l.left_version IS NULL
            UNION
            SELECT m.pipeline_id FROM unnest(CAST(:pipeline_ids AS bigint[])) AS m (pipeline_id)
        ))
        -- Years are locked first: this has them counted before the first pipeline is read.
        AND (SELECT count(*) FROM years) >= 0
    ORDER BY p.pipeline_id
    FOR NO KEY UPDATE OF p
)
SELECT h.number, h.job_id, h.pipeline_id, h.tenant, h.job_type, h.module, h.data_entry_type,
    h.year, h.unit, h.reference_kind, h.exclusive_key, h.priority, h.has_children,
    CAST(NULL AS bigint) AS version, CAST(NULL AS integer) AS live_jobs,
    CAST(NULL AS integer) AS failed_jobs, CAST(NULL AS integer) AS warned_jobs,
    CAST(NULL AS bigint) AS root_job_id, CAST(NULL AS boolean) AS cancelled,
    CAST(NULL AS integer) AS finished_jobs, CAST(NULL AS bigint) AS failed_job_id,
    CAST(NULL AS boolean) AS locked
FROM held AS h
UNION ALL
SELECT NULL, NULL, p.pipeline_id, p.tenant, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    p.version, p.live_jobs, p.failed_jobs, p.warned_jobs, p.root_job_id, p.cancelled,
    p.finished_jobs, p.failed_job_id, NULL
FROM locked AS p
UNION ALL
SELECT NULL, NULL, NULL, y.tenant, NULL, NULL, NULL, y.year, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, y.locked
FROM years AS y;
