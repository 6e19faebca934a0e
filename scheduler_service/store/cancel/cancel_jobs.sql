-- Live -> FINISHED CANCELLED. A running claim goes on as a drain, without the job.
UPDATE scheduler.jobs
SET state = 'FINISHED',
    result = 'CANCELLED',
    message = :message,
    finished_at = scheduler.clock(),
    claim_token = NULL,
    worker_id = NULL,
    run_after = NULL,
    changed_version = :version
WHERE job_id = ANY(CAST(:job_ids AS bigint[])) AND state <> 'FINISHED';
