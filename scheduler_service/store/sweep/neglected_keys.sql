-- Of some exclusive keys those that the function of every end should have moved on, and did not: a
-- bug, if any. What is set aside is left out.
SELECT k.exclusive_key AS item, CAST(NULL AS bigint) AS job_id, k.exclusive_key
FROM scheduler.exclusive_keys AS k
-- With a LIMIT each is looked up by itself; a join might be answered from a list of all jobs.
LEFT JOIN LATERAL (
    SELECT j.state, j.run_after FROM scheduler.jobs AS j WHERE j.job_id = k.first_job_id LIMIT 1
) AS f ON true
WHERE k.exclusive_key = ANY(CAST(:exclusive_keys AS text[]))
    AND ((k.first_job_id IS NOT NULL AND (f.state IS NULL OR f.state = 'FINISHED'))
        OR (k.drain_token IS NOT NULL AND (
            SELECT true FROM scheduler.claims AS d WHERE d.claim_token = k.drain_token
        ) IS NULL)
        OR (k.drain_token IS NULL AND f.state = 'NOT_STARTED'
            AND (f.run_after IS NULL OR f.run_after < scheduler.clock() - interval '1 minute'))
        OR (k.first_job_id IS NULL AND (
            SELECT true FROM scheduler.jobs AS w
            WHERE w.exclusive_key = k.exclusive_key AND w.state = 'NOT_STARTED'
            LIMIT 1)))
    AND (
        SELECT true FROM scheduler.set_asides AS s
        WHERE s.step = 'backstop' AND s.item = k.exclusive_key AND s.until > scheduler.clock()
    ) IS NULL;
