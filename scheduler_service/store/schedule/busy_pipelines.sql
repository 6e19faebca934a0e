-- Of some pipelines those that have not ended, or of which a retry has not. Asked once their
-- schedules are locked: an older snapshot would not see the pipeline that another scheduler has
-- just submitted. Each is looked up by itself: a join would read whole indexes.
WITH RECURSIVE tries AS (
    SELECT n.pipeline_id AS first_id, n.pipeline_id
    FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
    UNION
    SELECT t.first_id, r.pipeline_id
    FROM tries AS t
    CROSS JOIN LATERAL (
        -- As the index has it, and without repairs.
        SELECT p.pipeline_id FROM scheduler.pipelines AS p
        WHERE coalesce(p.repair_of, p.retry_of) = t.pipeline_id
            AND coalesce(p.repair_of, p.retry_of) IS NOT NULL AND p.retry_of IS NOT NULL
        OFFSET 0
    ) AS r
)
SELECT DISTINCT t.first_id AS pipeline_id
FROM tries AS t
WHERE (
    SELECT p.status FROM scheduler.pipelines AS p WHERE p.pipeline_id = t.pipeline_id
) = 'LIVE';
