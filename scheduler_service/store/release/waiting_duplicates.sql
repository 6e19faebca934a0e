-- The waiting job of each coalesce key.
SELECT job_id, pipeline_id, tenant, coalesce_key
FROM scheduler.jobs
WHERE coalesce_key = ANY(CAST(:coalesce_keys AS text[]))
    AND state IN ('NOT_STARTED', 'QUEUED') AND coalesce_key IS NOT NULL;
