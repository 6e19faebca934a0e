-- If the last sweep is too long ago, nobody could beat: every live claim gets one lease more. So it
-- is if this scheduler had lost the database, and since its own last sweep no other one has swept.
-- The row's lock makes it once, by one replica; draining claims are never renewed, and one that
-- somebody has locked is in somebody's hands.
WITH last AS (
    SELECT last_run_at FROM scheduler.sweep_runs WHERE sweep = 'expiry' FOR UPDATE
), outage AS (
    SELECT FROM last
    WHERE last_run_at < scheduler.clock() - CAST(:outage_seconds AS double precision)
        * interval '1 second'
        OR last_run_at = CAST(:own_sweep_at AS timestamptz)
), free AS (
    SELECT c.claim_token FROM scheduler.claims AS c
    WHERE NOT c.draining AND EXISTS (SELECT FROM outage)
    FOR UPDATE SKIP LOCKED
)
UPDATE scheduler.claims AS c
SET lease_until = greatest(
    c.lease_until,
    scheduler.clock() + CAST(:lease_seconds AS double precision) * interval '1 second'
)
FROM free
WHERE c.claim_token = free.claim_token
RETURNING c.claim_token;
