-- Of the newest pipelines of a tenant, so many at most, how many match, by status.
SELECT CASE WHEN looked_at.status <> 'LIVE' THEN looked_at.status
        WHEN live.has_started THEN 'RUNNING' ELSE 'NOT_STARTED' END AS status,
    count(*) AS pipelines
FROM (
    SELECT l.pipeline_id, l.kind, l.module, l.unit, l.year, l.failed_jobs, l.created_at,
        l.status, l.submitted_by, l.root_job_id
    FROM scheduler.pipelines AS l
    WHERE l.tenant = :tenant AND (l.tenant, l.pipeline_id) < (:tenant, 9223372036854775807)
    ORDER BY l.pipeline_id DESC
    LIMIT CAST(:pipelines_max AS bigint)
) AS looked_at
LEFT JOIN LATERAL (
    SELECT s.has_started FROM scheduler.pipeline_summaries AS s
    WHERE looked_at.status = 'LIVE' AND s.pipeline_id = looked_at.pipeline_id
    LIMIT 1
) AS live ON true
WHERE (CAST(:kind AS text) IS NULL OR looked_at.kind = CAST(:kind AS text))
    AND (CAST(:module AS smallint) IS NULL OR looked_at.module = CAST(:module AS smallint))
    AND (CAST(:modules AS smallint[]) IS NULL
        OR looked_at.module = ANY(CAST(:modules AS smallint[])))
    AND (CAST(:unit AS text) IS NULL OR looked_at.unit = CAST(:unit AS text))
    AND (CAST(:units AS text[]) IS NULL OR looked_at.unit = ANY(CAST(:units AS text[])))
    AND (CAST(:year AS smallint) IS NULL OR looked_at.year = CAST(:year AS smallint))
    AND (CAST(:submitted_by AS text) IS NULL
        OR looked_at.submitted_by = CAST(:submitted_by AS text))
    AND (NOT CAST(:errors_only AS boolean) OR looked_at.failed_jobs > 0)
    AND (CAST(:created_from AS timestamptz) IS NULL
        OR looked_at.created_at >= CAST(:created_from AS timestamptz))
    AND (CAST(:created_before AS timestamptz) IS NULL
        OR looked_at.created_at < CAST(:created_before AS timestamptz))
    AND (CAST(:text AS text) IS NULL OR strpos(
        scheduler.words_of_pipeline(
            looked_at.pipeline_id, looked_at.kind, looked_at.unit, looked_at.submitted_by,
            looked_at.root_job_id
        ), scheduler.comparison_key(CAST(:text AS text))) > 0)
GROUP BY 1;
