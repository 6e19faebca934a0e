-- Live jobs that are not in their turn: claimable or running while an older job of the key lives,
-- or while a claim of the key drains; and a second job where a key has one at most.
SELECT j.pipeline_id, j.job_id, CASE
        WHEN duplicate.job_id IS NOT NULL THEN 'shares a key with job ' || duplicate.job_id
        WHEN k.drain_token IS NOT NULL AND j.state = 'QUEUED'
            THEN 'is claimable while claim ' || k.drain_token || ' of its key drains'
        WHEN older.job_id IS NOT NULL
            THEN 'is ' || lower(j.state) || ' before the older job ' || older.job_id
                || ' of its key'
        ELSE 'is ' || lower(j.state) || ', and it is the turn of '
            || coalesce('job ' || k.first_job_id, 'none')
    END AS detail
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') IS FALSE
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
LEFT JOIN scheduler.exclusive_keys AS k ON k.exclusive_key = j.exclusive_key
LEFT JOIN LATERAL (
    SELECT o.job_id
    FROM scheduler.jobs AS o
    WHERE o.exclusive_key = j.exclusive_key AND o.exclusive_key IS NOT NULL
        AND o.state = 'NOT_STARTED' AND (o.key_number, o.job_id) < (j.key_number, j.job_id)
        AND j.state IN ('QUEUED', 'RUNNING')
    LIMIT 1
) AS older ON true
LEFT JOIN LATERAL (
    (
        SELECT o.job_id FROM scheduler.jobs AS o
        WHERE o.exclusive_key = j.exclusive_key AND o.exclusive_key IS NOT NULL
            AND o.state IN ('QUEUED', 'RUNNING') AND j.state IN ('QUEUED', 'RUNNING')
            AND o.job_id <> j.job_id
        LIMIT 1
    )
    UNION ALL
    (
        SELECT o.job_id FROM scheduler.jobs AS o
        WHERE o.coalesce_key = j.coalesce_key AND o.coalesce_key IS NOT NULL
            AND o.state IN ('NOT_STARTED', 'QUEUED') AND j.state IN ('NOT_STARTED', 'QUEUED')
            AND o.job_id <> j.job_id
        LIMIT 1
    )
    LIMIT 1
) AS duplicate ON true
WHERE duplicate.job_id IS NOT NULL
    OR older.job_id IS NOT NULL
    OR (j.state = 'QUEUED' AND k.drain_token IS NOT NULL)
    OR (j.exclusive_key IS NOT NULL AND j.state IN ('QUEUED', 'RUNNING')
        AND k.first_job_id IS DISTINCT FROM j.job_id)
LIMIT CAST(:findings_max AS bigint);
