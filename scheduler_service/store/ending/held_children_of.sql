-- The wishes that some pipelines have.
SELECT pipeline_id, job_type, module, year, parent_job_id, child_key
FROM scheduler.wishes
WHERE pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
ORDER BY pipeline_id, job_type, module, year;
