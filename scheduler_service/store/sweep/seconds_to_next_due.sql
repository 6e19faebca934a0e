-- How long until the next waiting job's time comes; no row when none waits for its time.
SELECT CAST(extract(epoch FROM run_after - scheduler.clock()) AS double precision) AS seconds
FROM scheduler.jobs
WHERE state = 'NOT_STARTED' AND run_after IS NOT NULL
ORDER BY run_after
LIMIT 1;
