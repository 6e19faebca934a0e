-- If the last sweep is too long ago, nobody could beat: every live claim gets one lease more.
-- The row's lock makes it once, by one replica; draining claims are never renewed.
WITH last AS (
    SELECT last_run_at FROM scheduler.sweep_runs WHERE sweep = 'lapse' FOR UPDATE
), outage AS (
    SELECT FROM last
    WHERE last_run_at < scheduler.clock() - CAST(:outage_seconds AS double precision)
        * interval '1 second'
)
UPDATE scheduler.claims
SET lease_until = greatest(
    lease_until,
    scheduler.clock() + CAST(:lease_seconds AS double precision) * interval '1 second'
)
WHERE NOT draining AND EXISTS (SELECT FROM outage)
RETURNING claim_token;
