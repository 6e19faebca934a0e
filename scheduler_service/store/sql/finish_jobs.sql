-- The compare-and-set: each claim ends its job if, and only if, it still holds it.
UPDATE scheduler.jobs AS j
SET state = 'FINISHED',
    result = n.result,
    message = coalesce(n.message, ''),
    error_cause = coalesce(n.error_cause, ''),
    stats = n.stats,
    finished_at = scheduler.clock(),
    finished_by_token = j.claim_token,
    claim_token = NULL,
    worker_id = NULL,
    changed_version = n.version
FROM unnest(
    CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]), CAST(:worker_ids AS uuid[]),
    CAST(:results AS text[]), CAST(:messages AS text[]), CAST(:error_causes AS text[]),
    CAST(:stats AS jsonb[]), CAST(:versions AS bigint[])
) AS n (job_id, claim_token, worker_id, result, message, error_cause, stats, version)
WHERE j.job_id = n.job_id AND j.claim_token = n.claim_token AND j.worker_id = n.worker_id
RETURNING j.job_id, j.pipeline_id, j.dark_token;
