-- Keys that the function of every end should have moved on, and did not: a bug, if any.
-- What is set aside is left out.
SELECT k.exclusive_key AS item, CAST(NULL AS bigint) AS job_id, k.exclusive_key
FROM scheduler.exclusive_keys AS k
LEFT JOIN scheduler.jobs AS f ON f.job_id = k.first_job_id
LEFT JOIN scheduler.claims AS d ON d.claim_token = k.drain_token
WHERE ((k.first_job_id IS NOT NULL AND (f.job_id IS NULL OR f.state = 'FINISHED'))
    OR (k.drain_token IS NOT NULL AND d.claim_token IS NULL)
    OR (k.drain_token IS NULL AND f.state = 'NOT_STARTED'
        AND (f.run_after IS NULL OR f.run_after < scheduler.clock() - interval '1 minute'))
    -- With a LIMIT it is looked up key by key; EXISTS would be answered from a list of all jobs.
    OR (k.first_job_id IS NULL AND (
        SELECT true FROM scheduler.jobs AS w
        WHERE w.exclusive_key = k.exclusive_key AND w.state = 'NOT_STARTED'
        LIMIT 1)))
    AND (
        SELECT true FROM scheduler.set_asides AS s
        WHERE s.step = 'backstop' AND s.item = k.exclusive_key AND s.until > scheduler.clock()
    ) IS NULL
LIMIT CAST(:keys_max AS bigint);
