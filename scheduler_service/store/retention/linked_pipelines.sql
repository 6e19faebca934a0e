-- Some pipelines, those that joined their jobs, those that joined these ones' jobs, and so on, as
-- far as they ended long enough ago; unlocked, and at most so many.
WITH RECURSIVE together (pipeline_id) AS (
    SELECT n.pipeline_id FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
    UNION
    SELECT l.pipeline_id
    FROM together AS t
    -- One by one: a join might read all jobs.
    CROSS JOIN LATERAL (
        SELECT j.job_id FROM scheduler.jobs AS j WHERE j.pipeline_id = t.pipeline_id OFFSET 0
    ) AS own
    CROSS JOIN LATERAL (
        SELECT o.pipeline_id FROM scheduler.job_links AS o WHERE o.job_id = own.job_id OFFSET 0
    ) AS l
    WHERE (
        SELECT p.finished_at < scheduler.clock()
            - CAST(:kept_seconds AS double precision) * interval '1 second'
        FROM scheduler.pipelines AS p
        WHERE p.pipeline_id = l.pipeline_id
    )
)
SELECT pipeline_id FROM together
LIMIT CAST(:pipelines_max AS bigint);
