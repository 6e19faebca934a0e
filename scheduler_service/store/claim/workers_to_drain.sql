-- The workers among these that are to drain.
SELECT w.worker_id, w.principal
FROM unnest(CAST(:worker_ids AS uuid[]), CAST(:principals AS text[])) AS n (worker_id, principal)
JOIN scheduler.workers AS w ON w.worker_id = n.worker_id AND w.principal = n.principal
WHERE w.drain_asked_at IS NOT NULL;
