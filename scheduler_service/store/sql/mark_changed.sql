-- Data of some types changed: newer than any recalculation claimed so far.
INSERT INTO scheduler.type_freshness AS f
    (tenant, data_entry_type, year, changed_token, changed_at)
SELECT n.tenant, n.data_entry_type, n.year, nextval('scheduler.tokens'), scheduler.clock()
FROM unnest(
    CAST(:tenants AS text[]), CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[])
) AS n (tenant, data_entry_type, year)
ORDER BY n.tenant, n.data_entry_type, n.year
ON CONFLICT (tenant, data_entry_type, year) DO UPDATE
    SET changed_token = greatest(f.changed_token, excluded.changed_token),
        changed_at = excluded.changed_at;
