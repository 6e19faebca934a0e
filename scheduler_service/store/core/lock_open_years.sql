-- Hold every unlocked year of some tenants, against LockPeriod.
SELECT y.tenant, y.year, false AS locked
FROM scheduler.years AS y
WHERE y.tenant = ANY(CAST(:tenants AS text[])) AND y.locked_at IS NULL
ORDER BY y.tenant, y.year
FOR SHARE OF y;
