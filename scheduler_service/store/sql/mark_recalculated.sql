-- Recalculations are over: what their claims saw, and that an aggregation must follow.
INSERT INTO scheduler.type_freshness AS f
    (tenant, data_entry_type, year, recalc_claim, recalc_end)
SELECT n.tenant, n.data_entry_type, n.year, max(n.claim_token), max(nextval('scheduler.tokens'))
FROM unnest(
    CAST(:tenants AS text[]), CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[]),
    CAST(:claim_tokens AS bigint[])
) AS n (tenant, data_entry_type, year, claim_token)
GROUP BY n.tenant, n.data_entry_type, n.year
ORDER BY n.tenant, n.data_entry_type, n.year
ON CONFLICT (tenant, data_entry_type, year) DO UPDATE
    SET recalc_claim = greatest(f.recalc_claim, excluded.recalc_claim),
        recalc_end = greatest(f.recalc_end, excluded.recalc_end);
