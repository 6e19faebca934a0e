-- Calls that were held off: renew what is still held of those that are repeated, and hand it out
-- again; and which of their workers are to drain.
WITH calls AS MATERIALIZED (
    SELECT w.*
    FROM unnest(
        CAST(:worker_ids AS uuid[]), CAST(:request_ids AS uuid[]), CAST(:principals AS text[]),
        CAST(:tenants AS jsonb[])
    ) WITH ORDINALITY AS w (worker_id, request_id, principal, tenants, number)
), drains AS (
    SELECT w.number
    FROM calls AS w
    JOIN scheduler.workers AS d ON d.worker_id = w.worker_id AND d.principal = w.principal
    WHERE d.drain_asked_at IS NOT NULL
), again AS (
    SELECT w.number, w.principal, w.tenants, unnest(r.claim_tokens) AS claim_token,
        unnest(r.job_ids) AS job_id
    FROM calls AS w
    JOIN scheduler.claim_requests AS r
        ON r.worker_id = w.worker_id AND r.request_id = w.request_id
), own AS MATERIALIZED (
    SELECT a.number, a.principal, a.claim_token
    FROM again AS a
    WHERE a.tenants ? (SELECT j.tenant FROM scheduler.jobs AS j WHERE j.job_id = a.job_id)
), held AS (
    SELECT c.claim_token, again.number
    FROM own AS again
    JOIN scheduler.claims AS c ON c.claim_token = again.claim_token
    WHERE NOT c.draining AND c.principal = again.principal
    FOR UPDATE OF c SKIP LOCKED
), renewed AS (
    UPDATE scheduler.claims AS c
    SET lease_until =
        scheduler.clock() + CAST(:lease_seconds AS double precision) * interval '1 second'
    FROM held
    WHERE c.claim_token = held.claim_token
    RETURNING held.number, c.claim_token, c.job_id
)
SELECT coalesce(renewed.number, drains.number) AS number, drains.number IS NOT NULL AS is_to_drain,
    j.job_id IS NOT NULL AS holds_job, j.job_id, j.pipeline_id, j.tenant, j.job_type, j.module,
    j.data_entry_type, j.year, j.unit, j.reference_kind, j.payload, j.state, j.result,
    j.message, j.error_cause, j.stats, j.run_after, j.attempts, j.attempts_max, j.priority,
    j.releases, j.expiries, j.claim_token, j.last_token, j.worker_id, j.parent_job_id, j.child_key,
    j.superseded_by, j.created_at, j.started_at, j.finished_at, j.runs_alone
FROM renewed
JOIN scheduler.jobs AS j
    ON j.job_id = renewed.job_id AND j.claim_token = renewed.claim_token
-- Who is to drain may still hold nothing.
FULL JOIN drains ON drains.number = renewed.number
ORDER BY j.priority, j.fair_stamp, j.job_id;
