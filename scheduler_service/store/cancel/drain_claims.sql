-- These claims hold no job any more; their workers, which it names, are told
-- with the next beat.
UPDATE scheduler.claims
SET draining = true
WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[]))
RETURNING claim_token, worker_id;
