-- Claims in workers' hands, of some tenants' jobs.
SELECT c.worker_id, c.claim_token, c.job_id, j.job_type, c.draining,
    CAST(extract(epoch FROM c.lease_until - scheduler.clock()) AS double precision) AS seconds_left
FROM scheduler.claims AS c
JOIN scheduler.jobs AS j ON j.job_id = c.job_id
WHERE j.tenant = ANY(CAST(:tenants AS text[]))
ORDER BY c.claim_token
LIMIT 10000;
