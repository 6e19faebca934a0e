-- The schedules of a tenant, or the one of a name, each with the pipeline of its last tick, or the
-- newest retry of that, and with why a sweep could not work on it lately.
SELECT s.*, scheduler.clock() AS now, r.pipeline_id AS shown_pipeline_id,
    p.status AS last_status, p.has_started AS last_has_started, a.reason AS stuck
FROM scheduler.schedules AS s
LEFT JOIN LATERAL (
    WITH RECURSIVE tries AS (
        SELECT s.last_pipeline_id AS pipeline_id
        UNION
        SELECT q.pipeline_id
        FROM tries AS t
        JOIN scheduler.pipelines AS q ON coalesce(q.repair_of, q.retry_of) = t.pipeline_id
            AND coalesce(q.repair_of, q.retry_of) IS NOT NULL
        WHERE q.retry_of IS NOT NULL
    )
    SELECT max(t.pipeline_id) AS pipeline_id FROM tries AS t
) AS r ON true
LEFT JOIN LATERAL (
    SELECT v.status, v.has_started FROM scheduler.pipeline_summaries AS v
    WHERE v.pipeline_id = r.pipeline_id
    LIMIT 1
) AS p ON true
LEFT JOIN LATERAL (
    SELECT n.reason FROM scheduler.set_asides AS n
    WHERE n.step = 'schedule' AND n.item = CAST(s.schedule_id AS text)
        AND n.until > scheduler.clock()
    LIMIT 1
) AS a ON true
WHERE s.tenant = :tenant AND (CAST(:name AS text) IS NULL OR s.name = CAST(:name AS text))
ORDER BY s.name
LIMIT CAST(:schedules_max AS bigint);
