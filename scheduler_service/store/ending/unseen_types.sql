-- Of some types and years, those whose last change the totals of their module have not seen. It is
-- `is_seen` of jobs/freshness.py, to which a test holds it. Left out are those for which a job that
-- is not over will see it.
SELECT n.place
FROM unnest(
    CAST(:tenants AS text[]), CAST(:types AS smallint[]), CAST(:years AS smallint[]),
    CAST(:modules AS smallint[]), CAST(:recalculations AS text[]), CAST(:aggregations AS text[])
) WITH ORDINALITY AS n (
    tenant, data_entry_type, year, module, recalculation, aggregation, place
)
JOIN scheduler.type_freshness AS f
    ON f.tenant = n.tenant AND f.data_entry_type = n.data_entry_type AND f.year = n.year
LEFT JOIN scheduler.module_freshness AS m
    ON m.tenant = n.tenant AND m.module = n.module AND m.year = n.year
WHERE (f.changed_token >= f.recalc_claim OR f.recalc_end >= coalesce(m.agg_claim, 0))
    AND NOT EXISTS (
        SELECT FROM scheduler.jobs AS j
        WHERE j.exclusive_key IN (n.recalculation, n.aggregation) AND j.exclusive_key IS NOT NULL
            AND j.state IN ('QUEUED', 'RUNNING')
    )
    AND NOT EXISTS (
        SELECT FROM scheduler.jobs AS j
        WHERE j.exclusive_key IN (n.recalculation, n.aggregation) AND j.exclusive_key IS NOT NULL
            AND j.state = 'NOT_STARTED'
    );
