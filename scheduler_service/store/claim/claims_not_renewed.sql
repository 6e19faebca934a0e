-- How claims stand that a heartbeat could not renew: lost, draining, or locked by somebody else.
SELECT b.worker_id, b.principal, b.job_id, b.claim_token,
    c.claim_token IS NULL OR (b.tenants ? (
        SELECT j.tenant FROM scheduler.jobs AS j WHERE j.job_id = b.job_id
    )) IS NOT TRUE AS lost,
    coalesce(c.draining, false) AS draining,
    CAST(extract(epoch FROM c.lease_until - scheduler.clock()) AS double precision)
        AS seconds_left
FROM unnest(
    CAST(:worker_ids AS uuid[]), CAST(:principals AS text[]), CAST(:job_ids AS bigint[]),
    CAST(:claim_tokens AS bigint[]), CAST(:tenants AS jsonb[])
) AS b (worker_id, principal, job_id, claim_token, tenants)
LEFT JOIN scheduler.claims AS c
    ON c.claim_token = b.claim_token AND c.job_id = b.job_id
    AND c.worker_id = b.worker_id AND c.principal = b.principal;
