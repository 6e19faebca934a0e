-- These claims are over. Says whose they were.
DELETE FROM scheduler.claims
WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[]))
RETURNING claim_token, worker_id;
