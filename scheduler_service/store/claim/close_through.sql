-- Ledger scopes in which a claim is in doubt, among those that are about to be read.
SELECT d.tenant, d.ledger_scope, d.close_through
FROM scheduler.ledger_scopes_in_doubt AS d
JOIN unnest(CAST(:tenants AS text[]), CAST(:ledger_scopes AS text[])) AS n (tenant, ledger_scope)
    ON n.tenant = d.tenant AND n.ledger_scope = d.ledger_scope;
