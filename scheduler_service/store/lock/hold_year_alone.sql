-- Lock a year against whoever holds it as it is: Submit, and every release of jobs into it.
SELECT tenant, year, locked_at, locked_by, lock_reason
FROM scheduler.years
WHERE tenant = :tenant AND year = CAST(:year AS smallint)
FOR UPDATE;
