-- How many pipelines have joined the waiting jobs of some keys, counted up to a bound. No row for a
-- key under which nothing waits.
SELECT n.coalesce_key, (
        SELECT count(*) FROM (
            SELECT FROM scheduler.job_links AS l
            WHERE l.job_id = waiting.job_id AND l.left_version IS NULL
            LIMIT CAST(:joiners_max AS bigint)
        ) AS joined
    ) AS joiners
FROM unnest(CAST(:coalesce_keys AS text[])) AS n (coalesce_key)
CROSS JOIN LATERAL (
    SELECT j.job_id FROM scheduler.jobs AS j
    WHERE j.coalesce_key = n.coalesce_key AND j.state IN ('NOT_STARTED', 'QUEUED')
        AND j.coalesce_key IS NOT NULL
    LIMIT 1
) AS waiting;
