-- These claims are over.
DELETE FROM scheduler.claims
WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[]));
