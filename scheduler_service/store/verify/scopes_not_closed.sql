-- Which of these ledger scopes are not to be closed up to the claim in doubt that may have written
-- there: a later reader could miss its data.
SELECT n.pipeline_id, n.job_id, 'claim ' || n.claim_token || ' is in doubt, and readers of '
    || n.ledger_scope || ' do not close it' AS detail
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_ids AS bigint[]), CAST(:tenants AS text[]),
    CAST(:ledger_scopes AS text[]), CAST(:claim_tokens AS bigint[])
) AS n (pipeline_id, job_id, tenant, ledger_scope, claim_token)
LEFT JOIN scheduler.ledger_scopes_in_doubt AS d
    ON d.tenant = n.tenant AND d.ledger_scope = n.ledger_scope
WHERE d.close_through IS NULL OR d.close_through < n.claim_token
LIMIT CAST(:findings_max AS bigint);
