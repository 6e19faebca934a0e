-- Delete pipelines with all that belongs to them. Nothing else refers to their jobs.
WITH gone AS MATERIALIZED (
    SELECT j.job_id
    FROM scheduler.jobs AS j
    WHERE j.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
    ORDER BY j.job_id
    FOR UPDATE
), links AS (
    DELETE FROM scheduler.job_links
    WHERE pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
    RETURNING pipeline_id
), events AS (
    DELETE FROM scheduler.job_events
    WHERE pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
    RETURNING pipeline_id
), requests AS (
    DELETE FROM scheduler.submit_requests
    WHERE pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
    RETURNING pipeline_id
), jobs AS (
    DELETE FROM scheduler.jobs AS j USING gone WHERE j.job_id = gone.job_id
    RETURNING j.job_id
), pipelines AS (
    DELETE FROM scheduler.pipelines
    WHERE pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
    RETURNING pipeline_id
)
SELECT (SELECT count(*) FROM pipelines) AS pipelines, (SELECT count(*) FROM jobs) AS jobs,
    (SELECT count(*) FROM links) AS links, (SELECT count(*) FROM events) AS events,
    (SELECT count(*) FROM requests) AS requests;
