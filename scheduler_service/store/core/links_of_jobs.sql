-- The pipelines that joined some jobs and have not left them.
SELECT l.job_id, l.pipeline_id
FROM scheduler.job_links AS l
WHERE l.job_id = ANY(CAST(:job_ids AS bigint[])) AND l.left_version IS NULL;
