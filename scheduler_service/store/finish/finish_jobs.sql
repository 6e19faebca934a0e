-- The compare-and-set: each claim ends its job if, and only if, it still holds it; then it is
-- over. Says which pipelines have joined each job: they are locked, so that is as it is.
WITH ended AS (
    UPDATE scheduler.jobs AS j
    SET state = 'FINISHED',
        result = n.result,
        message = coalesce(n.message, ''),
        error_cause = coalesce(n.error_cause, ''),
        stats = n.stats,
        finished_at = scheduler.clock(),
        finished_by_token = j.claim_token,
        finished_by_worker_id = j.worker_id,
        claim_token = NULL,
        worker_id = NULL,
        changed_version = n.version
    FROM unnest(
        CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]), CAST(:results AS text[]),
        CAST(:messages AS text[]), CAST(:error_causes AS text[]), CAST(:stats AS jsonb[]),
        CAST(:versions AS bigint[])
    ) AS n (job_id, claim_token, result, message, error_cause, stats, version)
    WHERE j.job_id = n.job_id AND j.claim_token = n.claim_token
    RETURNING j.job_id, j.pipeline_id, j.in_doubt_token, j.coalesce_key, j.finished_by_token
), over AS (
    DELETE FROM scheduler.claims
    -- No join: a plan for it might read all claims.
    WHERE claim_token = ANY(ARRAY(SELECT ended.finished_by_token FROM ended))
)
SELECT job_id, pipeline_id, in_doubt_token,
    CASE WHEN coalesce_key IS NOT NULL THEN ARRAY(
        SELECT l.pipeline_id FROM scheduler.job_links AS l
        WHERE l.job_id = ended.job_id AND l.left_version IS NULL
        ORDER BY l.pipeline_id
    ) END AS joined_by
FROM ended;
