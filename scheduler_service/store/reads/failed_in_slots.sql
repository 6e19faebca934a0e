-- Per slot the pipeline of its current job, the one with the newest claim, if that job failed. An
-- upload of another source would hide one that failed: uploads are not looked for here.
SELECT current.module, current.pipeline_id
FROM unnest(CAST(:slot_keys AS text[])) AS n (slot_key)
CROSS JOIN LATERAL (
    SELECT j.module, j.pipeline_id, j.job_type, j.result
    FROM scheduler.jobs AS j
    WHERE j.slot_key = n.slot_key AND j.slot_key IS NOT NULL AND j.last_token IS NOT NULL
    ORDER BY j.last_token DESC
    LIMIT 1
) AS current
WHERE current.result = 'ERROR'
    AND current.job_type NOT IN ('csv_ingest', 'api_ingest', 'factor_ingest');
