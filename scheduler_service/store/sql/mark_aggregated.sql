-- Aggregations are over, not with ERROR: what their claims saw.
INSERT INTO scheduler.module_freshness AS f (tenant, module, year, agg_claim, aggregated_at)
SELECT n.tenant, n.module, n.year, max(n.claim_token), scheduler.clock()
FROM unnest(
    CAST(:tenants AS text[]), CAST(:modules AS smallint[]), CAST(:years AS smallint[]),
    CAST(:claim_tokens AS bigint[])
) AS n (tenant, module, year, claim_token)
GROUP BY n.tenant, n.module, n.year
ORDER BY n.tenant, n.module, n.year
ON CONFLICT (tenant, module, year) DO UPDATE
    SET agg_claim = greatest(f.agg_claim, excluded.agg_claim),
        aggregated_at = excluded.aggregated_at;
