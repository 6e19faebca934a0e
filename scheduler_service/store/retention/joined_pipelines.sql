-- Which pipelines joined jobs of these ones, those included that left them again.
SELECT DISTINCT j.pipeline_id, l.pipeline_id AS joined_by
FROM scheduler.jobs AS j
JOIN scheduler.job_links AS l ON l.job_id = j.job_id
WHERE j.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[])) AND l.pipeline_id <> j.pipeline_id;
