-- Of some types and years, those whose last change the totals of their module have not seen. It is
-- `is_seen` of jobs/freshness.py, to which a test holds it.
SELECT f.data_entry_type, f.year
FROM unnest(
    CAST(:types AS smallint[]), CAST(:years AS smallint[]), CAST(:modules AS smallint[])
) AS n (data_entry_type, year, module)
JOIN scheduler.type_freshness AS f
    ON f.tenant = :tenant AND f.data_entry_type = n.data_entry_type AND f.year = n.year
LEFT JOIN scheduler.module_freshness AS m
    ON m.tenant = :tenant AND m.module = n.module AND m.year = n.year
WHERE f.changed_token >= f.recalc_claim OR f.recalc_end >= coalesce(m.agg_claim, 0);
