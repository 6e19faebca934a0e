-- These claims are over. Says which of their jobs still have children staged under them.
WITH over AS (
    DELETE FROM scheduler.claims
    WHERE claim_token = ANY(CAST(:claim_tokens AS bigint[]))
)
SELECT n.job_id
FROM unnest(CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[])) AS n (job_id, claim_token)
-- No join: a plan for it might read all that are staged.
WHERE (
    SELECT true FROM scheduler.staged_children AS s
    WHERE s.parent_job_id = n.job_id AND s.claim_token = n.claim_token
    LIMIT 1
) IS NOT NULL;
