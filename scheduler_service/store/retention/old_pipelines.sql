-- Pipelines by number from behind one on, with whether they are old, and whether they may go: they
-- ended long enough ago, and removing them did not fail a moment ago. Numbers are drawn in the
-- order of time, so nothing behind the first that is not old is old.
SELECT CAST(p.pipeline_id AS text) AS item, CAST(NULL AS bigint) AS job_id, p.pipeline_id,
    p.created_at < scheduler.clock()
        - CAST(:kept_seconds AS double precision) * interval '1 second' AS is_old,
    p.finished_at < scheduler.clock()
        - CAST(:kept_seconds AS double precision) * interval '1 second'
    AND (
        SELECT true FROM scheduler.set_asides AS s
        WHERE s.step = 'remove' AND s.item = CAST(p.pipeline_id AS text)
            AND s.until > scheduler.clock()
    ) IS NULL AS is_due
FROM scheduler.pipelines AS p
WHERE p.pipeline_id > CAST(:after_pipeline_id AS bigint)
ORDER BY p.pipeline_id
LIMIT CAST(:pipelines_max AS bigint);
