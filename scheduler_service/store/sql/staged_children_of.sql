-- The children that some claims have staged so far.
SELECT s.parent_job_id, s.child_key, s.job_type, s.module, s.data_entry_type, s.year, s.unit,
    s.payload, j.tenant
FROM scheduler.staged_children AS s
JOIN unnest(CAST(:parent_job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]))
    AS claim (parent_job_id, claim_token)
    ON claim.parent_job_id = s.parent_job_id AND claim.claim_token = s.claim_token
JOIN scheduler.jobs AS j ON j.job_id = s.parent_job_id
ORDER BY s.parent_job_id, s.child_key;
