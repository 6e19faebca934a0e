-- A worker gave a sign of life.
INSERT INTO scheduler.workers AS w
    (worker_id, principal, tenants, build_id, host, job_types, draining, started_at,
        last_seen_at)
VALUES (:worker_id, :principal, CAST(:tenants AS text[]), :build_id, :host,
    CAST(:job_types AS text[]), false, scheduler.clock(), scheduler.clock())
ON CONFLICT (worker_id) DO UPDATE
    SET last_seen_at = excluded.last_seen_at,
        job_types = excluded.job_types,
        tenants = excluded.tenants
    WHERE w.principal = excluded.principal;
