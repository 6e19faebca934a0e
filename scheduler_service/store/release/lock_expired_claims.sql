-- Claims whose lease is really over, locked against a beat that comes now.
SELECT claim_token
FROM scheduler.claims
WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[])) AND lease_until < scheduler.clock()
ORDER BY claim_token
FOR UPDATE;
