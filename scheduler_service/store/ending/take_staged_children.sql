-- Remove the children that some claims staged, and hand them over.
DELETE FROM scheduler.staged_children AS s
USING unnest(CAST(:parent_job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]))
    AS ended (parent_job_id, claim_token), scheduler.jobs AS j
WHERE s.parent_job_id = ended.parent_job_id
    AND s.claim_token = ended.claim_token
    AND j.job_id = ended.parent_job_id
RETURNING s.parent_job_id, s.child_key, s.job_type, s.module, s.data_entry_type, s.year, s.unit,
    s.payload, j.tenant;
