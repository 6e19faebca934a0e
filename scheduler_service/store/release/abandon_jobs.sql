-- RUNNING -> FINISHED ERROR: the attempts are spent. No claim finished it. Its last expiry or
-- release counts as those before.
UPDATE scheduler.jobs AS j
SET state = 'FINISHED',
    result = 'ERROR',
    message = n.message,
    error_cause = n.error_cause,
    releases = j.releases + n.releases,
    expiries = j.expiries + n.expiries,
    finished_at = scheduler.clock(),
    claim_token = NULL,
    worker_id = NULL,
    changed_version = n.version
FROM unnest(
    CAST(:job_ids AS bigint[]), CAST(:messages AS text[]), CAST(:error_causes AS text[]),
    CAST(:versions AS bigint[]), CAST(:releases AS smallint[]), CAST(:expiries AS smallint[])
) AS n (job_id, message, error_cause, version, releases, expiries)
WHERE j.job_id = n.job_id AND j.state = 'RUNNING';
