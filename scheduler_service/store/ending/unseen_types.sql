-- Of some types and years, those whose last change the totals of their module have not seen. It is
-- `is_seen` of jobs/freshness.py, to which a test holds it. Left out are those for which a job that
-- is not over will see it: a recalculation that is claimed after the change, or totals that are
-- claimed after the recalculation's end. What runs since before then has read too early.
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
            AND (j.exclusive_key = n.recalculation OR f.changed_token < f.recalc_claim)
            AND coalesce(
                j.claim_token > CASE j.exclusive_key
                    WHEN n.recalculation THEN f.changed_token ELSE f.recalc_end
                END,
                true
            )
    )
    AND NOT EXISTS (
        SELECT FROM scheduler.jobs AS j
        WHERE j.exclusive_key IN (n.recalculation, n.aggregation) AND j.exclusive_key IS NOT NULL
            AND j.state = 'NOT_STARTED'
            AND (j.exclusive_key = n.recalculation OR f.changed_token < f.recalc_claim)
    );
