-- Which of these claims are the caller's: token, worker and principal must all fit.
SELECT c.job_id, c.claim_token
FROM scheduler.claims AS c
JOIN unnest(
    CAST(:claim_tokens AS bigint[]), CAST(:worker_ids AS uuid[]), CAST(:principals AS text[])
) AS n (claim_token, worker_id, principal)
    ON n.claim_token = c.claim_token AND n.worker_id = c.worker_id AND n.principal = c.principal;
