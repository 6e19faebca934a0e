-- Write back pipelines that this transaction holds locked: counters, status, one version more.
UPDATE scheduler.pipelines AS p
SET version = saved.version,
    live_jobs = saved.live_jobs,
    failed_jobs = saved.failed_jobs,
    warned_jobs = saved.warned_jobs,
    root_job_id = saved.root_job_id,
    status = saved.status,
    finished_at = CASE WHEN saved.status = 'LIVE' THEN NULL ELSE scheduler.clock() END
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:live AS integer[]),
    CAST(:failed AS integer[]), CAST(:warned AS integer[]), CAST(:root_job_ids AS bigint[]),
    CAST(:statuses AS text[])
) AS saved (pipeline_id, version, live_jobs, failed_jobs, warned_jobs, root_job_id, status)
WHERE p.pipeline_id = saved.pipeline_id;
