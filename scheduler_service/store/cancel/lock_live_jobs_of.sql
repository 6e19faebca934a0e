-- Lock the jobs of a pipeline that have not ended, by id.
SELECT job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
    reference_kind, state, result, claim_token, finished_by_token, coalesce_key, exclusive_key,
    dark_token, attempts, attempts_max, releases, priority
FROM scheduler.jobs
WHERE pipeline_id = :pipeline_id AND (state = 'FINISHED') IS FALSE
ORDER BY job_id
FOR UPDATE;
