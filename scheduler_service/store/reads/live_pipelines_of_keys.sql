-- Per exclusive key and module the newest pipeline that waits for a job, own or joined: for the one
-- that is claimable or runs, or for one of the last thousand behind it. Pipelines of other modules
-- and units than the caller's are passed over: a newer one of theirs would hide the caller's own.
SELECT live.module, live.year, max(waits.pipeline_id) AS pipeline_id
FROM unnest(CAST(:keys AS text[])) AS n (exclusive_key)
CROSS JOIN LATERAL (
    (
        SELECT j.job_id, j.pipeline_id, j.module, j.year
        FROM scheduler.jobs AS j
        WHERE j.exclusive_key = n.exclusive_key AND j.exclusive_key IS NOT NULL
            AND j.state IN ('QUEUED', 'RUNNING')
        LIMIT 1
    )
    UNION ALL
    (
        SELECT j.job_id, j.pipeline_id, j.module, j.year
        FROM scheduler.jobs AS j
        WHERE j.exclusive_key = n.exclusive_key AND j.exclusive_key IS NOT NULL
            AND j.state = 'NOT_STARTED'
        ORDER BY j.key_number DESC
        LIMIT 1000
    )
) AS live
LEFT JOIN scheduler.job_links AS l ON l.job_id = live.job_id AND l.left_version IS NULL
CROSS JOIN LATERAL (VALUES (live.pipeline_id), (l.pipeline_id)) AS waits (pipeline_id)
WHERE (CAST(:own_modules AS smallint[]) IS NULL AND CAST(:own_units AS text[]) IS NULL)
    -- No join: each is looked up by itself.
    OR (
        SELECT true
        FROM scheduler.pipelines AS p
        WHERE p.pipeline_id = waits.pipeline_id
            AND (CAST(:own_modules AS smallint[]) IS NULL
                OR p.module = ANY(CAST(:own_modules AS smallint[])))
            AND (CAST(:own_units AS text[]) IS NULL
                OR p.unit = ANY(CAST(:own_units AS text[])))
        LIMIT 1
    )
GROUP BY n.exclusive_key, live.module, live.year;
