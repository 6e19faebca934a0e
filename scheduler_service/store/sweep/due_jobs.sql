-- Waiting jobs whose time has come, by that time, from behind one on; unlocked. What is set aside
-- is left out.
SELECT CAST(j.job_id AS text) AS item, j.job_id, j.exclusive_key, j.run_after
FROM scheduler.jobs AS j
WHERE j.state = 'NOT_STARTED' AND j.run_after IS NOT NULL AND j.run_after <= scheduler.clock()
    AND (j.run_after, j.job_id) > (
        coalesce(CAST(:after_time AS timestamptz), '-infinity'), CAST(:after_job_id AS bigint)
    )
    AND (
        SELECT true FROM scheduler.set_asides AS s
        WHERE s.step = 'promote' AND s.item = CAST(j.job_id AS text)
            AND s.until > scheduler.clock()
    ) IS NULL
ORDER BY j.run_after, j.job_id
LIMIT CAST(:jobs_max AS bigint);
