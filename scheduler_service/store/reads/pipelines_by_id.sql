-- Pipelines as people see them.
SELECT p.*, (
    SELECT r.started_at FROM scheduler.jobs AS r WHERE r.job_id = p.root_job_id
) AS started_at
FROM scheduler.pipeline_summaries AS p
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]));
