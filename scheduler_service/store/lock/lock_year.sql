-- A year's numbers must not change any more; says since when.
UPDATE scheduler.years
SET locked_at = scheduler.clock(), locked_by = :locked_by, lock_reason = :reason
WHERE tenant = :tenant AND year = CAST(:year AS smallint)
RETURNING tenant, year, locked_at, locked_by, lock_reason;
