-- A year's standing; no row if it was never provisioned.
SELECT tenant, year, provisioned_at, locked_at, locked_by, lock_reason
FROM scheduler.years
WHERE tenant = :tenant AND year = CAST(:year AS smallint);
