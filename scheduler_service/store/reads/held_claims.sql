-- The claims of some tenants' jobs in the hands of some workers: of each worker the oldest ones,
-- and how many it holds.
SELECT h.worker_id, h.claim_token, h.job_id, h.job_type, h.draining, h.seconds_left, h.held
FROM (
    SELECT c.worker_id, c.claim_token, c.job_id, j.job_type, c.draining,
        CAST(extract(epoch FROM c.lease_until - scheduler.clock()) AS double precision)
            AS seconds_left,
        row_number() OVER (PARTITION BY c.worker_id ORDER BY c.claim_token) AS place,
        count(*) OVER (PARTITION BY c.worker_id) AS held
    FROM scheduler.claims AS c
    JOIN scheduler.jobs AS j ON j.job_id = c.job_id
    WHERE j.tenant = ANY(CAST(:tenants AS text[]))
        AND c.worker_id = ANY(CAST(:worker_ids AS uuid[]))
) AS h
WHERE h.place <= CAST(:claims_max AS bigint)
ORDER BY h.claim_token;
