-- A hundred jobs claimed and finished by compare-and-set, in one transaction,
-- with nothing around it.
BEGIN;
WITH picked AS MATERIALIZED (
    SELECT job_id, nextval('scheduler.tokens') AS claim_token
    FROM (
        SELECT job_id FROM scheduler.jobs
        WHERE job_type = 'noop' AND tenant = 'bench' AND state = 'QUEUED'
        ORDER BY priority, fair_stamp, job_id
        LIMIT 100 FOR UPDATE SKIP LOCKED
    ) AS free
), claimed AS (
    UPDATE scheduler.jobs AS j
    SET state = 'RUNNING', claim_token = p.claim_token, last_token = p.claim_token,
        worker_id = '00000000-0000-0000-0000-000000000001', attempts = attempts + 1,
        started_at = statement_timestamp()
    FROM picked AS p WHERE j.job_id = p.job_id
    RETURNING j.job_id, j.claim_token
)
SELECT array_agg(job_id) AS job_ids, array_agg(claim_token) AS tokens FROM claimed \gset
UPDATE scheduler.jobs AS j
SET state = 'FINISHED', result = 'SUCCESS', finished_at = statement_timestamp(),
    finished_by_token = j.claim_token, claim_token = NULL, worker_id = NULL
FROM unnest(CAST(:job_ids AS bigint[]), CAST(:tokens AS bigint[])) AS n (job_id, claim_token)
WHERE j.job_id = n.job_id AND j.claim_token = n.claim_token;
COMMIT;
