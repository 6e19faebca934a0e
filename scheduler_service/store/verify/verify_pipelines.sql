-- Pipelines with what their status follows from: their counters, and what these should be. How many
-- have finished is counted of each that no older release has changed.
SELECT p.pipeline_id, p.status, p.live_jobs, p.failed_jobs, p.cancelled_at IS NOT NULL AS cancelled,
    root.result AS root_result, own.jobs + joined.jobs + held.jobs AS live_jobs_found,
    CASE WHEN p.counted_version = p.version THEN p.finished_jobs END AS finished_jobs,
    scheduler.finished_jobs_of(p.pipeline_id) AS finished_jobs_found
FROM scheduler.pipelines AS p
LEFT JOIN scheduler.jobs AS root ON root.job_id = p.root_job_id
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs FROM scheduler.jobs AS j
    WHERE j.pipeline_id = p.pipeline_id AND (j.state = 'FINISHED') IS FALSE
) AS own
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs
    FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
    WHERE l.pipeline_id = p.pipeline_id AND l.left_version IS NULL AND j.state <> 'FINISHED'
        AND j.pipeline_id <> p.pipeline_id
) AS joined
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs FROM scheduler.held_children AS w WHERE w.pipeline_id = p.pipeline_id
) AS held
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
ORDER BY p.pipeline_id;
