-- Claims whose lease is really over, locked against a beat that comes now; and whether other claims
-- of their worker have expired or were recovered while they lasted. Waits for nothing.
SELECT claim_token, worker_id, had_company
FROM scheduler.claims
WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[])) AND lease_until < scheduler.clock()
FOR UPDATE SKIP LOCKED;
