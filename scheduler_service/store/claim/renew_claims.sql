-- Renew leases and take in progress; waits for nothing, and never changes a job's state. Says what
-- was renewed: not a claim that somebody else has locked, which keeps what is left of its lease,
-- nor a draining one. Each step finds its rows by the claims' key, however many beats there are.
WITH free AS (
    SELECT c.claim_token, b.done, b.total, b.phase, b.message
    FROM unnest(
        CAST(:worker_ids AS uuid[]), CAST(:principals AS text[]), CAST(:job_ids AS bigint[]),
        CAST(:claim_tokens AS bigint[]), CAST(:done AS bigint[]), CAST(:total AS bigint[]),
        CAST(:phases AS text[]), CAST(:messages AS text[]), CAST(:tenants AS jsonb[])
    ) AS b (worker_id, principal, job_id, claim_token, done, total, phase, message, tenants)
    JOIN scheduler.claims AS c
        ON c.claim_token = b.claim_token AND c.job_id = b.job_id
        AND c.worker_id = b.worker_id AND c.principal = b.principal
    WHERE NOT c.draining
        -- No join: a plan for it might read all jobs.
        AND b.tenants ? (
            SELECT j.tenant FROM scheduler.jobs AS j WHERE j.job_id = b.job_id
        )
    FOR UPDATE OF c SKIP LOCKED
), renewed AS (
    UPDATE scheduler.claims AS c
    SET lease_until =
            scheduler.clock() + CAST(:lease_seconds AS double precision) * interval '1 second',
        progress_done = coalesce(free.done, c.progress_done),
        progress_total = coalesce(free.total, c.progress_total),
        progress_phase = coalesce(free.phase, c.progress_phase),
        progress_message = coalesce(free.message, c.progress_message),
        progress_at = CASE WHEN free.done IS NULL THEN c.progress_at ELSE scheduler.clock() END
    FROM free
    WHERE c.claim_token = free.claim_token
    RETURNING c.worker_id, c.principal, c.job_id, c.claim_token, c.lease_until,
        free.done IS NOT NULL AS has_news
)
SELECT r.worker_id, r.principal, r.job_id, r.claim_token, false AS lost, false AS draining,
    CAST(extract(epoch FROM r.lease_until - scheduler.clock()) AS double precision)
        AS seconds_left,
    j.pipeline_id AS pipeline_with_news
FROM renewed AS r
LEFT JOIN scheduler.jobs AS j ON j.job_id = r.job_id AND r.has_news;
