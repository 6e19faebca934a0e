-- Where jobs that have ended stood behind their keys.
SELECT job_id, key_number
FROM scheduler.jobs
WHERE job_id = ANY(CAST(:job_ids AS bigint[]));
