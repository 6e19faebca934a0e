-- Workers heard of lately that serve one of these tenants, those heard of last first. Of a
-- worker that a scheduler of an earlier release has written nobody knows whom it serves.
SELECT w.worker_id, w.build_id, w.host, w.job_types, w.tenants, w.not_ready, w.last_seen_at,
    w.draining OR w.drain_asked_at IS NOT NULL AS draining,
    w.drain_asked_at, w.drain_asked_by, w.drain_reason,
    CAST(extract(epoch FROM scheduler.clock() - w.last_seen_at) AS double precision)
        AS seconds_ago
FROM scheduler.workers AS w
WHERE CAST(:tenants AS text[]) IS NULL OR w.tenants IS NULL
    OR w.tenants && CAST(:tenants AS text[])
ORDER BY w.last_seen_at DESC
LIMIT 1000;
