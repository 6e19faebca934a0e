-- A year's numbers may change again.
UPDATE scheduler.years
SET locked_at = NULL, locked_by = NULL, lock_reason = NULL
WHERE tenant = :tenant AND year = CAST(:year AS smallint);
