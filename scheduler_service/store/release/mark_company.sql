-- The claims that some workers hold besides these: when one of them expires later, it did not run
-- alone. Says which workers hold any.
WITH others AS MATERIALIZED (
    SELECT c.claim_token, c.worker_id, c.had_company
    FROM scheduler.claims AS c
    WHERE c.worker_id = ANY(CAST(:worker_ids AS uuid[]))
        AND c.claim_token <> ALL(CAST(:claim_tokens AS bigint[]))
), marked AS (
    UPDATE scheduler.claims AS c
    SET had_company = true
    FROM others AS o
    WHERE c.claim_token = o.claim_token AND NOT o.had_company
)
SELECT DISTINCT worker_id FROM others;
