-- Lock jobs by id and say how they stand.
SELECT job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
    reference_kind, state, result, claim_token, finished_by_token, coalesce_key, exclusive_key,
    dark_token, attempts, attempts_max, releases, priority
FROM scheduler.jobs
WHERE job_id = ANY(CAST(:job_ids AS bigint[]))
ORDER BY job_id
FOR UPDATE;
