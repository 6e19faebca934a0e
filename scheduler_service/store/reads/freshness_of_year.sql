-- Types of a year with a change: recalculated to the end since, and aggregations claimed when.
SELECT data_entry_type, changed_token, recalc_claim, recalc_end, CAST(NULL AS smallint) AS module,
    CAST(NULL AS bigint) AS agg_claim
FROM scheduler.type_freshness
WHERE tenant = :tenant AND year = CAST(:year AS smallint)
UNION ALL
SELECT NULL, NULL, NULL, NULL, module, agg_claim
FROM scheduler.module_freshness
WHERE tenant = :tenant AND year = CAST(:year AS smallint)
ORDER BY data_entry_type, module;
