-- Modules and years with their last aggregation that ended well, the aggregation of their slot that
-- has the newest claim, and the one of their exclusive key that has not ended.
SELECT n.module, n.year, scheduler.clock() AS now, coalesce(f.agg_claim, 0) AS agg_claim,
    f.aggregated_at,
    newest.job_id AS newest_job_id, newest.pipeline_id AS newest_pipeline_id,
    newest.created_at AS newest_created_at, newest.result AS newest_result,
    live.job_id AS live_job_id, live.pipeline_id AS live_pipeline_id,
    live.created_at AS live_created_at
FROM unnest(
    CAST(:modules AS smallint[]), CAST(:years AS smallint[]), CAST(:slot_keys AS text[]),
    CAST(:exclusive_keys AS text[])
) AS n (module, year, slot_key, exclusive_key)
LEFT JOIN scheduler.module_freshness AS f
    ON f.tenant = :tenant AND f.module = n.module AND f.year = n.year
LEFT JOIN LATERAL (
    SELECT j.job_id, j.pipeline_id, j.created_at, j.result
    FROM scheduler.jobs AS j
    WHERE j.slot_key = n.slot_key AND j.slot_key IS NOT NULL AND j.last_token IS NOT NULL
    ORDER BY j.last_token DESC
    LIMIT 1
) AS newest ON true
LEFT JOIN scheduler.exclusive_keys AS k ON k.exclusive_key = n.exclusive_key
LEFT JOIN scheduler.jobs AS live ON live.job_id = k.first_job_id AND live.state <> 'FINISHED'
ORDER BY n.year, n.module;
