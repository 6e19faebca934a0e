-- Waiting jobs whose time has come, unlocked.
SELECT job_id, exclusive_key
FROM scheduler.jobs
WHERE state = 'NOT_STARTED' AND run_after IS NOT NULL AND run_after <= scheduler.clock()
ORDER BY run_after
LIMIT CAST(:jobs_max AS bigint);
