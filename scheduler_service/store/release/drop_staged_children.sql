-- Children of claims that ended otherwise than by a good Finish never become jobs.
DELETE FROM scheduler.staged_children AS s
USING unnest(CAST(:parent_job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]))
    AS ended (parent_job_id, claim_token)
WHERE s.parent_job_id = ended.parent_job_id AND s.claim_token = ended.claim_token;
