-- Pipelines as people see them.
SELECT * FROM scheduler.pipeline_summaries
WHERE pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]));
