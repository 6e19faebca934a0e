-- Hold years as they are, against LockPeriod, and say how they stand. First in the lock order.
SELECT y.tenant, y.year, y.locked_at IS NOT NULL AS locked
FROM scheduler.years AS y
JOIN unnest(CAST(:tenants AS text[]), CAST(:years AS smallint[])) AS wanted (tenant, year)
    ON wanted.tenant = y.tenant AND wanted.year = y.year
ORDER BY y.tenant, y.year
FOR SHARE OF y;
