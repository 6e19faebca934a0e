-- Which of these claims are the caller's, by place, and whose jobs they hold: job, token, worker
-- and principal must all fit.
SELECT n.number, j.tenant
FROM unnest(
    CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]), CAST(:worker_ids AS uuid[]),
    CAST(:principals AS text[])
) WITH ORDINALITY AS n (job_id, claim_token, worker_id, principal, number)
JOIN scheduler.claims AS c
    ON c.claim_token = n.claim_token AND c.job_id = n.job_id
    AND c.worker_id = n.worker_id AND c.principal = n.principal
JOIN scheduler.jobs AS j ON j.job_id = c.job_id
ORDER BY n.number;
