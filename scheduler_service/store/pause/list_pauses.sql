-- A page of the pauses of a tenant, newest first.
SELECT p.tenant, p.job_type, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by,
    p.pause_id
FROM scheduler.pauses AS p
WHERE p.tenant = :tenant
    AND (p.resumed_at IS NULL OR CAST(:include_resumed AS boolean))
    AND (CAST(:before_pause_id AS bigint) IS NULL OR p.pause_id < CAST(:before_pause_id AS bigint))
ORDER BY p.pause_id DESC
LIMIT CAST(:pauses_max AS bigint);
