-- How the roots of some pipelines ended, for their status.
SELECT job_id, result
FROM scheduler.jobs
WHERE job_id = ANY(CAST(:job_ids AS bigint[]));
