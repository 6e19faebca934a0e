-- Which job types are paused in some tenants.
SELECT p.tenant, p.job_type
FROM scheduler.pauses AS p
WHERE p.job_type = ANY(CAST(:job_types AS text[])) AND p.resumed_at IS NULL
    AND p.tenant = ANY(CAST(:tenants AS text[]));
