-- Which of these claims are the caller's, by place: job, token, worker and principal must all fit.
SELECT n.number
FROM unnest(
    CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]), CAST(:worker_ids AS uuid[]),
    CAST(:principals AS text[])
) WITH ORDINALITY AS n (job_id, claim_token, worker_id, principal, number)
JOIN scheduler.claims AS c
    ON c.claim_token = n.claim_token AND c.job_id = n.job_id
    AND c.worker_id = n.worker_id AND c.principal = n.principal
ORDER BY n.number;
