-- The types and scopes of the children that running jobs' claims have staged so far.
SELECT s.job_type, s.module, s.data_entry_type, s.year, s.unit, j.tenant, count(*) AS children
FROM unnest(CAST(:parent_job_ids AS bigint[])) AS n (job_id)
JOIN scheduler.jobs AS j ON j.job_id = n.job_id
JOIN scheduler.staged_children AS s
    ON s.parent_job_id = j.job_id AND s.claim_token = j.claim_token
GROUP BY s.job_type, s.module, s.data_entry_type, s.year, s.unit, j.tenant;
