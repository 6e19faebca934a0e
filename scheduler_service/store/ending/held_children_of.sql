-- The children that some pipelines hold.
SELECT pipeline_id, job_type, module, year, parent_job_id, child_key, priority
FROM scheduler.held_children
WHERE pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
ORDER BY pipeline_id, job_type, module, year;
