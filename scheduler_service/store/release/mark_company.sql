-- The claims that some workers hold besides these: when one of them expires later, it did not run
-- alone. Waits for nothing: where somebody has locked one that has no mark yet, none of that
-- worker's is marked. Says of each worker that holds any whether all of them have their mark.
WITH others AS MATERIALIZED (
    SELECT c.claim_token, c.worker_id, c.had_company
    FROM scheduler.claims AS c
    WHERE c.worker_id = ANY(CAST(:worker_ids AS uuid[]))
        AND c.claim_token <> ALL(CAST(:claim_tokens AS bigint[]))
), free AS MATERIALIZED (
    SELECT c.claim_token
    FROM scheduler.claims AS c
    WHERE c.claim_token = ANY(ARRAY(
        SELECT o.claim_token FROM others AS o WHERE NOT o.had_company
    ))
    FOR UPDATE SKIP LOCKED
), workers AS MATERIALIZED (
    SELECT o.worker_id, bool_and(o.had_company OR f.claim_token IS NOT NULL) AS all_marked
    FROM others AS o
    LEFT JOIN free AS f ON f.claim_token = o.claim_token
    GROUP BY o.worker_id
), marked AS (
    UPDATE scheduler.claims AS c
    SET had_company = true
    FROM free AS f
    WHERE c.claim_token = f.claim_token
        AND c.worker_id IN (SELECT w.worker_id FROM workers AS w WHERE w.all_marked)
)
SELECT worker_id, all_marked FROM workers;
