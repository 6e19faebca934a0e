-- Which of these pipelines of a tenant exist.
SELECT p.pipeline_id
FROM scheduler.pipelines AS p
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[])) AND p.tenant = CAST(:tenant AS text);
