-- Claims whose lease is over, by token, from behind one on; unlocked: the lease is read again under
-- their lock. What is set aside is left out.
SELECT CAST(c.claim_token AS text) AS item, c.claim_token, c.job_id, c.draining, j.job_type
FROM (
    SELECT c.claim_token, c.job_id, c.draining
    FROM scheduler.claims AS c
    WHERE c.lease_until < scheduler.clock() AND c.claim_token > CAST(:after_token AS bigint)
        AND (
            SELECT true FROM scheduler.set_asides AS s
            WHERE s.step = 'expire' AND s.item = CAST(c.claim_token AS text)
                AND s.until > scheduler.clock()
        ) IS NULL
    ORDER BY c.claim_token
    LIMIT CAST(:claims_max AS bigint)
) AS c
LEFT JOIN scheduler.jobs AS j ON j.job_id = c.job_id
ORDER BY c.claim_token;
