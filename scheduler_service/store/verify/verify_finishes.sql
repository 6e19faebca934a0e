-- Finished jobs that another claim finished than their last one, that no claim finished well, or
-- that have gone on after their end.
SELECT j.pipeline_id, j.job_id, CASE
        WHEN j.finished_by_token IS DISTINCT FROM j.last_token AND j.finished_by_token IS NOT NULL
            THEN 'claim ' || j.finished_by_token || ' finished it, and its last claim is '
                || coalesce(CAST(j.last_token AS text), 'none')
        WHEN j.finished_by_token IS NULL AND j.result IN ('SUCCESS', 'WARNING')
            THEN 'ended with ' || j.result || ', and no claim finished it'
        ELSE 'has an event "' || later.event || '" after its end'
    END AS detail
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') IS TRUE
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
LEFT JOIN LATERAL (
    SELECT e.event
    FROM scheduler.job_events AS e
    WHERE e.job_id = j.job_id
        -- The events of a transaction are written after the ends that it brings.
        AND e.at > j.finished_at
            + CAST(:patience_seconds AS double precision) * interval '1 second'
        AND e.event IN ('expired', 'released', 'retry_later', 'superseded')
    LIMIT 1
) AS later ON true
WHERE (j.finished_by_token IS NOT NULL AND j.finished_by_token IS DISTINCT FROM j.last_token)
    OR (j.finished_by_token IS NULL AND j.result IN ('SUCCESS', 'WARNING'))
    OR later.event IS NOT NULL
LIMIT CAST(:findings_max AS bigint);
