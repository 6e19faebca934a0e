-- Claims whose lease is over, unlocked; the lease is read again under their lock.
SELECT claim_token, job_id, draining
FROM scheduler.claims
WHERE lease_until < scheduler.clock()
ORDER BY claim_token
LIMIT CAST(:claims_max AS bigint);
