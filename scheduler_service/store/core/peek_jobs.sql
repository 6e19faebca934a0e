-- Jobs, read without a lock: only to know which rows to lock.
SELECT *
FROM scheduler.jobs_in_brief
WHERE job_id = ANY(CAST(:job_ids AS bigint[]))
ORDER BY job_id;
