-- The pause of a job type in a tenant that lasts; no row if there is none.
SELECT p.tenant, p.job_type, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by
FROM scheduler.pauses AS p
WHERE p.tenant = :tenant AND p.job_type = :job_type AND p.resumed_at IS NULL;
