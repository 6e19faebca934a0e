-- How a tenant's years stand, one or all; no row for one that was never provisioned.
SELECT tenant, year, provisioned_at, locked_at, locked_by, lock_reason
FROM scheduler.years
WHERE tenant = :tenant
    AND (CAST(:year AS smallint) IS NULL OR year = CAST(:year AS smallint));
