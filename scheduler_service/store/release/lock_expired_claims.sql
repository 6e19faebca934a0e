-- Claims whose lease is really over, locked against a beat that comes now; and whether other claims
-- of their worker have expired or were recovered while they lasted, and for how long each lease has
-- been over. Waits for nothing.
SELECT claim_token, worker_id, had_company,
    CAST(extract(epoch FROM scheduler.clock() - lease_until) AS double precision) AS late_seconds
FROM scheduler.claims
WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[])) AND lease_until < scheduler.clock()
FOR UPDATE SKIP LOCKED;
