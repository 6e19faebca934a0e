-- Jobs that ended with a claim in doubt, whose drain is over, and whether a repair followed. Their
-- year is given if it was open when they ended, and still is.
SELECT j.pipeline_id, j.job_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
    j.reference_kind, j.result, j.in_doubt_token, y.year AS open_year,
    EXISTS (
        SELECT FROM scheduler.job_events AS e
        WHERE e.job_id = j.job_id AND e.event = 'repair'
    ) AS is_repaired
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') IS TRUE
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
LEFT JOIN scheduler.years AS y
    ON y.tenant = j.tenant AND y.year = j.year
    AND y.provisioned_at < j.finished_at AND y.locked_at IS NULL
WHERE j.in_doubt_token IS NOT NULL
    AND NOT EXISTS (SELECT FROM scheduler.claims AS c WHERE c.claim_token = j.last_token);
