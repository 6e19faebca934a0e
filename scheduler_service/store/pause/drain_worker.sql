-- Ask a worker to drain, once: who asks again gets the first answer. No row if there is no such
-- worker, and one without a time if it serves others than these tenants.
WITH told AS (
    UPDATE scheduler.workers AS w
    SET drain_asked_at = coalesce(w.drain_asked_at, scheduler.clock()),
        drain_asked_by = coalesce(w.drain_asked_by, :drain_asked_by),
        drain_reason = coalesce(w.drain_reason, :drain_reason)
    WHERE w.worker_id = :worker_id
        AND (w.tenants IS NULL OR w.tenants <@ CAST(:tenants AS text[]))
    RETURNING w.worker_id, w.drain_asked_at, w.drain_asked_by, w.drain_reason
)
SELECT w.job_types, t.drain_asked_at, t.drain_asked_by, t.drain_reason
FROM scheduler.workers AS w
LEFT JOIN told AS t ON t.worker_id = w.worker_id
WHERE w.worker_id = :worker_id;
