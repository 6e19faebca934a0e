-- These drains are over.
DELETE FROM scheduler.claims
WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[])) AND draining
RETURNING claim_token;
