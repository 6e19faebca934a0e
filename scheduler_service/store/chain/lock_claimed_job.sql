-- The job of a live claim, locked so that its Finish waits until the children are staged; and the
-- years that its children may be of.
SELECT j.job_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
    j.reference_kind, j.claim_token, j.payload ->> 'submitted_by' AS submitted_by,
    ARRAY(SELECT y.year FROM scheduler.years AS y WHERE y.tenant = j.tenant) AS provisioned_years
FROM scheduler.jobs AS j
JOIN scheduler.claims AS c ON c.claim_token = j.claim_token
WHERE j.job_id = :job_id AND j.claim_token = :claim_token
    AND c.worker_id = :worker_id AND c.principal = :principal
FOR NO KEY UPDATE OF j;
