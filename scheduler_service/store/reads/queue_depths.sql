-- How many jobs of each type are claimable, counted no further than :jobs_max, and the age of the
-- oldest of those. From the index of claimable jobs: finished ones cost nothing.
SELECT t.job_type, q.jobs,
    coalesce(
        CAST(extract(epoch FROM scheduler.clock() - oldest.created_at) AS double precision), 0
    ) AS oldest_seconds
FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs, min(c.job_id) AS oldest_job_id
    FROM (
        SELECT j.job_id
        FROM scheduler.jobs AS j
        WHERE j.job_type = t.job_type AND j.state = 'QUEUED'
        LIMIT CAST(:jobs_max AS bigint)
    ) AS c
) AS q
LEFT JOIN scheduler.jobs AS oldest ON oldest.job_id = q.oldest_job_id
ORDER BY t.job_type;
