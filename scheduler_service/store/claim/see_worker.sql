-- A worker gave a sign of life. Who holds its row, such as one who drains it, holds up no Claim:
-- the next sign is written.
WITH free AS (
    SELECT worker_id
    FROM scheduler.workers
    WHERE worker_id = :worker_id AND principal = :principal
        AND (tenants IS NULL OR tenants && CAST(:tenants AS text[]))
    FOR NO KEY UPDATE SKIP LOCKED
), seen AS (
    UPDATE scheduler.workers AS w
    SET last_seen_at = scheduler.clock(),
        job_types = CAST(:job_types AS text[]),
        tenants = CAST(:tenants AS text[])
    FROM free
    WHERE w.worker_id = free.worker_id
)
INSERT INTO scheduler.workers
    (worker_id, principal, tenants, build_id, host, job_types, draining, started_at,
        last_seen_at)
SELECT :worker_id, :principal, CAST(:tenants AS text[]), :build_id, :host,
    CAST(:job_types AS text[]), false, scheduler.clock(), scheduler.clock()
WHERE NOT EXISTS (SELECT FROM scheduler.workers AS k WHERE k.worker_id = :worker_id)
ON CONFLICT (worker_id) DO NOTHING;
