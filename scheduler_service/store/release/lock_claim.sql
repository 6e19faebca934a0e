-- Lock a claim against a beat that comes now, and say how much of its lease is left.
SELECT claim_token, worker_id, lease_until,
    CAST(extract(epoch FROM lease_until - scheduler.clock()) AS double precision) AS seconds_left
FROM scheduler.claims
WHERE claim_token = :claim_token
FOR UPDATE;
