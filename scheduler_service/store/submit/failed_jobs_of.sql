-- What a pipeline left undone, own and joined: jobs that failed or were cancelled, oldest first.
SELECT j.job_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
    j.reference_kind, j.payload, j.priority
FROM (
    SELECT o.job_id
    FROM scheduler.jobs AS o
    WHERE o.pipeline_id = CAST(:pipeline_id AS bigint) AND (o.state = 'FINISHED') IS TRUE
    UNION
    SELECT l.job_id
    FROM scheduler.job_links AS l
    WHERE l.pipeline_id = CAST(:pipeline_id AS bigint) AND l.left_version IS NULL
) AS seen
JOIN scheduler.jobs AS j ON j.job_id = seen.job_id
WHERE j.result IN ('ERROR', 'CANCELLED')
ORDER BY j.job_id
LIMIT CAST(:jobs_max AS bigint);
