-- Workers that are known gave a sign of life, and say whether they drain and are ready. Waits for
-- nobody: a row that is locked has just been touched.
WITH seen AS (
    SELECT w.worker_id, n.draining, n.not_ready
    FROM unnest(
        CAST(:worker_ids AS uuid[]), CAST(:principals AS text[]), CAST(:draining AS boolean[]),
        CAST(:not_ready AS text[])
    ) AS n (worker_id, principal, draining, not_ready)
    JOIN scheduler.workers AS w ON w.worker_id = n.worker_id AND w.principal = n.principal
    FOR NO KEY UPDATE OF w SKIP LOCKED
)
UPDATE scheduler.workers AS w
SET last_seen_at = scheduler.clock(), draining = seen.draining, not_ready = seen.not_ready
FROM seen
WHERE w.worker_id = seen.worker_id;
