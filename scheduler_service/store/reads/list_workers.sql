-- Workers heard of lately, the last heard of first.
SELECT w.worker_id, w.build_id, w.host, w.job_types, w.tenants, w.draining, w.not_ready,
    w.last_seen_at,
    CAST(extract(epoch FROM scheduler.clock() - w.last_seen_at) AS double precision)
        AS seconds_ago
FROM scheduler.workers AS w
ORDER BY w.last_seen_at DESC
LIMIT 1000;
