-- End the pauses of a job type in some tenants; says which there were.
WITH paused AS (
    SELECT p.pause_id
    FROM scheduler.pauses AS p
    WHERE p.job_type = :job_type AND p.resumed_at IS NULL
        AND p.tenant = ANY(CAST(:tenants AS text[]))
    -- In the order in which they are made: two calls at once must not deadlock.
    ORDER BY p.tenant
    FOR UPDATE
)
UPDATE scheduler.pauses AS p
SET resumed_at = scheduler.clock(), resumed_by = :resumed_by
FROM paused
WHERE p.pause_id = paused.pause_id
RETURNING p.tenant, p.job_type, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by;
