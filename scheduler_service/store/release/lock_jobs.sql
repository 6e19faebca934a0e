-- Lock jobs by number and read them again.
SELECT *
FROM scheduler.jobs_in_brief
WHERE job_id = ANY(CAST(:job_ids AS bigint[]))
ORDER BY job_id
FOR UPDATE;
