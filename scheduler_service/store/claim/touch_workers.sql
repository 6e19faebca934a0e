-- Workers that are known gave a sign of life, and say whether they drain and are ready. Waits for
-- nobody: a row that is locked has just been touched. Answers with those that are to drain.
WITH seen AS (
    SELECT w.worker_id, n.draining, n.not_ready
    FROM unnest(
        CAST(:worker_ids AS uuid[]), CAST(:principals AS text[]), CAST(:draining AS boolean[]),
        CAST(:not_ready AS text[]), CAST(:tenants AS jsonb[])
    ) AS n (worker_id, principal, draining, not_ready, tenants)
    JOIN scheduler.workers AS w ON w.worker_id = n.worker_id AND w.principal = n.principal
        -- Another institution's caller may have the same name.
        AND (w.tenants IS NULL OR n.tenants ?| w.tenants)
    FOR NO KEY UPDATE OF w SKIP LOCKED
), touched AS (
    UPDATE scheduler.workers AS w
    SET last_seen_at = scheduler.clock(), draining = seen.draining, not_ready = seen.not_ready
    FROM seen
    WHERE w.worker_id = seen.worker_id
    RETURNING w.worker_id, w.principal, w.drain_asked_at
)
SELECT t.worker_id, t.principal FROM touched AS t WHERE t.drain_asked_at IS NOT NULL;
