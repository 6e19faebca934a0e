-- Pipelines of a tenant, newest first, by keyset. Of those behind the key it looks at so many at
-- most, however few of them match. Only those that are found are read as a whole.
SELECT p.*
FROM (
    SELECT looked_at.pipeline_id
    FROM (
        SELECT l.pipeline_id, l.kind, l.module, l.unit, l.year, l.failed_jobs, l.created_at,
            l.status, l.submitted_by, l.root_job_id
        FROM scheduler.pipelines AS l
        -- With the tenant in it: else another index would do as well, as the planner counts.
        WHERE l.tenant = :tenant
            AND (l.tenant, l.pipeline_id)
                < (:tenant, coalesce(CAST(:before_id AS bigint), 9223372036854775807))
        ORDER BY l.pipeline_id DESC
        LIMIT CAST(:pipelines_max AS bigint)
    ) AS looked_at
    -- Whether a pipeline has started is found out for those that may match only.
    LEFT JOIN LATERAL (
        SELECT s.has_started FROM scheduler.pipeline_summaries AS s
        WHERE looked_at.status = 'LIVE' AND CAST(:statuses AS text[]) IS NOT NULL
            AND s.pipeline_id = looked_at.pipeline_id
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
        AND (CAST(:statuses AS text[]) IS NULL OR
            CASE WHEN looked_at.status <> 'LIVE' THEN looked_at.status
                WHEN live.has_started THEN 'RUNNING' ELSE 'NOT_STARTED' END
            = ANY(CAST(:statuses AS text[])))
        AND (CAST(:text AS text) IS NULL OR strpos(
            scheduler.words_of_pipeline(
                looked_at.pipeline_id, looked_at.kind, looked_at.unit, looked_at.submitted_by,
                looked_at.root_job_id
            ), scheduler.comparison_key(CAST(:text AS text))) > 0)
    ORDER BY looked_at.pipeline_id DESC
    LIMIT CAST(:rows_max AS bigint)
) AS found
CROSS JOIN LATERAL (
    SELECT s.*, (
        SELECT r.started_at FROM scheduler.jobs AS r WHERE r.job_id = s.root_job_id
    ) AS started_at
    FROM scheduler.pipeline_summaries AS s
    WHERE s.pipeline_id = found.pipeline_id
    LIMIT 1
) AS p
ORDER BY found.pipeline_id DESC;
