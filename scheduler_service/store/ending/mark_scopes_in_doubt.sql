-- Later readers of these ledger scopes must close them through the token in doubt first.
INSERT INTO scheduler.ledger_scopes_in_doubt AS d (tenant, ledger_scope, close_through)
SELECT n.tenant, n.ledger_scope, max(n.token)
FROM unnest(CAST(:tenants AS text[]), CAST(:ledger_scopes AS text[]), CAST(:tokens AS bigint[]))
    AS n (tenant, ledger_scope, token)
GROUP BY n.tenant, n.ledger_scope
ORDER BY n.tenant, n.ledger_scope
ON CONFLICT (tenant, ledger_scope)
    DO UPDATE SET close_through = greatest(d.close_through, excluded.close_through);
