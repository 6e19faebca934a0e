-- Lock pipelines by id; inserts of their children do not wait for this lock.
SELECT p.pipeline_id, p.tenant, p.version, p.live_jobs, p.failed_jobs, p.warned_jobs,
    p.root_job_id, p.cancelled_at IS NOT NULL AS cancelled,
    CASE WHEN p.counted_version = p.version THEN p.finished_jobs END AS finished_jobs,
    CASE WHEN p.counted_version = p.version THEN p.failed_job_id END AS failed_job_id
FROM scheduler.pipelines AS p
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
ORDER BY p.pipeline_id
FOR NO KEY UPDATE;
