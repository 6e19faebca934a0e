-- The scope of the pipeline that owns a job.
SELECT p.tenant, p.module, p.data_entry_type, p.year, p.unit, p.reference_kind
FROM scheduler.jobs AS j
JOIN scheduler.pipelines AS p ON p.pipeline_id = j.pipeline_id
WHERE j.job_id = :job_id;
