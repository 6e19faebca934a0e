-- Workers that said their last are forgotten, but for those that hold something. Waits for nobody:
-- a row that is locked stays, and ages.
WITH ended AS (
    SELECT w.worker_id
    FROM unnest(
        CAST(:worker_ids AS uuid[]), CAST(:principals AS text[]), CAST(:tenants AS jsonb[])
    ) AS n (worker_id, principal, tenants)
    JOIN scheduler.workers AS w ON w.worker_id = n.worker_id AND w.principal = n.principal
        AND (w.tenants IS NULL OR n.tenants ?| w.tenants)
    WHERE NOT EXISTS (SELECT FROM scheduler.claims AS c WHERE c.worker_id = w.worker_id)
    FOR UPDATE OF w SKIP LOCKED
)
DELETE FROM scheduler.workers AS w
USING ended
WHERE w.worker_id = ended.worker_id
RETURNING w.worker_id;
