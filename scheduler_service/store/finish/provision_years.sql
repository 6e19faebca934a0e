-- Years that a unit_sync has provisioned; the first time stands.
INSERT INTO scheduler.years (tenant, year, provisioned_at)
SELECT n.tenant, n.year, scheduler.clock()
FROM unnest(CAST(:tenants AS text[]), CAST(:years AS smallint[])) AS n (tenant, year)
ORDER BY n.tenant, n.year
ON CONFLICT DO NOTHING;
