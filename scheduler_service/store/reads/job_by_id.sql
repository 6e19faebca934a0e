-- One job as people see it, of these tenants.
SELECT * FROM scheduler.job_summaries
WHERE job_id = :job_id AND tenant = ANY(CAST(:tenants AS text[]));
