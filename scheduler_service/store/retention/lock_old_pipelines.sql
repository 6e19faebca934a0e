-- Lock those of these pipelines that ended long enough ago; what somebody else holds stays.
SELECT p.pipeline_id
FROM scheduler.pipelines AS p
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
    AND p.finished_at < scheduler.clock()
        - CAST(:kept_seconds AS double precision) * interval '1 second'
ORDER BY p.pipeline_id
FOR UPDATE SKIP LOCKED;
