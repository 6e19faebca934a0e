-- The oldest waiting job of each key, and whether its time has come.
SELECT k.exclusive_key, j.job_id, j.job_type,
    (j.run_after IS NULL OR j.run_after <= scheduler.clock()) AS due
FROM unnest(CAST(:exclusive_keys AS text[])) AS k (exclusive_key)
CROSS JOIN LATERAL (
    SELECT w.job_id, w.job_type, w.run_after
    FROM scheduler.jobs AS w
    WHERE w.exclusive_key = k.exclusive_key AND w.state = 'NOT_STARTED'
    ORDER BY w.key_number
    LIMIT 1
) AS j;
