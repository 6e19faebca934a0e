-- The oldest waiting job of each key; a key without one is left out.
SELECT k.exclusive_key, j.job_id
FROM unnest(CAST(:exclusive_keys AS text[])) AS k (exclusive_key)
CROSS JOIN LATERAL (
    SELECT w.job_id
    FROM scheduler.jobs AS w
    WHERE w.exclusive_key = k.exclusive_key AND w.state = 'NOT_STARTED'
    ORDER BY w.key_number, w.job_id
    LIMIT 1
) AS j;
