-- What a Claim writes about these jobs, to learn whether it can be written: the caller rolls it
-- back. Touches what a Claim does, and waits for nobody.
WITH tried AS (
    UPDATE scheduler.jobs AS j
    SET state = 'RUNNING',
        claim_token = t.claim_token,
        last_token = t.claim_token,
        worker_id = CAST(:worker_id AS uuid),
        attempts = j.attempts + 1,
        started_at = coalesce(j.started_at, scheduler.clock())
    FROM (
        SELECT q.job_id, nextval('scheduler.tokens') AS claim_token
        FROM (
            SELECT c.job_id
            FROM scheduler.jobs AS c
            WHERE c.job_id = ANY(CAST(:job_ids AS bigint[])) AND (c.state = 'QUEUED') IS TRUE
            FOR UPDATE SKIP LOCKED
        ) AS q
    ) AS t
    WHERE j.job_id = t.job_id
    RETURNING j.job_id, j.claim_token
)
INSERT INTO scheduler.claims (claim_token, job_id, worker_id, principal, lease_until)
SELECT claim_token, job_id, CAST(:worker_id AS uuid), '', scheduler.clock()
FROM tried;
