-- A pipeline as a retry needs to know it, with the oldest one that it runs again: its file is that
-- old.
WITH RECURSIVE retried AS (
    SELECT pipeline_id, retry_of
    FROM scheduler.pipelines
    WHERE pipeline_id = CAST(:pipeline_id AS bigint)
    UNION ALL
    SELECT p.pipeline_id, p.retry_of
    FROM retried AS r
    JOIN scheduler.pipelines AS p ON p.pipeline_id = r.retry_of
)
SELECT p.pipeline_id, p.tenant, p.kind, p.module, p.data_entry_type, p.year, p.unit,
    p.reference_kind, p.status,
    (SELECT min(coalesce(r.retry_of, r.pipeline_id)) FROM retried AS r) AS oldest
FROM scheduler.pipelines AS p
WHERE p.pipeline_id = CAST(:pipeline_id AS bigint);
