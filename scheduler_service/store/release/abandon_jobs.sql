-- RUNNING -> FINISHED ERROR: the attempts are spent. No claim finished it.
UPDATE scheduler.jobs AS j
SET state = 'FINISHED',
    result = 'ERROR',
    message = n.message,
    error_cause = n.error_cause,
    finished_at = scheduler.clock(),
    claim_token = NULL,
    worker_id = NULL,
    changed_version = n.version
FROM unnest(
    CAST(:job_ids AS bigint[]), CAST(:messages AS text[]), CAST(:error_causes AS text[]),
    CAST(:versions AS bigint[])
) AS n (job_id, message, error_cause, version)
WHERE j.job_id = n.job_id AND j.state = 'RUNNING';
