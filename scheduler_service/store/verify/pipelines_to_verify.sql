-- A page of a tenant's pipelines, by number: which of them have not ended, and how many jobs each
-- has, counted up to :jobs_max where no counter says.
SELECT p.pipeline_id, p.status = 'LIVE' AS is_live,
    p.live_jobs + coalesce(CAST(p.finished_jobs AS bigint), (
        SELECT count(*)
        FROM (
            SELECT FROM scheduler.jobs AS j
            WHERE j.pipeline_id = p.pipeline_id AND (j.state = 'FINISHED') IS TRUE
            LIMIT CAST(:jobs_max AS bigint)
        ) AS few
    )) AS jobs
FROM scheduler.pipelines AS p
WHERE p.tenant = :tenant
    AND (p.tenant, p.pipeline_id) > (:tenant, CAST(:after_pipeline_id AS bigint))
ORDER BY p.pipeline_id
LIMIT CAST(:pipelines_max AS bigint);
