-- Pipelines of a tenant, newest first, by keyset. Of those behind the key it looks at so many at
-- most, however few of them match.
SELECT p.*
FROM (
    SELECT l.pipeline_id, l.kind, l.module, l.unit, l.year, l.failed_jobs, l.created_at, l.status
    FROM scheduler.pipelines AS l
    -- With the tenant in it: else another index would do as well, as the planner counts.
    WHERE l.tenant = :tenant
        AND (l.tenant, l.pipeline_id)
            < (:tenant, coalesce(CAST(:before_id AS bigint), 9223372036854775807))
    ORDER BY l.pipeline_id DESC
    LIMIT CAST(:pipelines_max AS bigint)
) AS looked_at
CROSS JOIN LATERAL (
    SELECT s.* FROM scheduler.pipeline_summaries AS s
    WHERE s.pipeline_id = looked_at.pipeline_id
    LIMIT 1
) AS p
WHERE (CAST(:kind AS text) IS NULL OR looked_at.kind = CAST(:kind AS text))
    AND (CAST(:module AS smallint) IS NULL OR looked_at.module = CAST(:module AS smallint))
    AND (CAST(:modules AS smallint[]) IS NULL
        OR looked_at.module = ANY(CAST(:modules AS smallint[])))
    AND (CAST(:units AS text[]) IS NULL OR looked_at.unit = ANY(CAST(:units AS text[])))
    AND (CAST(:year AS smallint) IS NULL OR looked_at.year = CAST(:year AS smallint))
    AND (NOT CAST(:errors_only AS boolean) OR looked_at.failed_jobs > 0)
    AND (CAST(:created_from AS timestamptz) IS NULL
        OR looked_at.created_at >= CAST(:created_from AS timestamptz))
    AND (CAST(:created_before AS timestamptz) IS NULL
        OR looked_at.created_at < CAST(:created_before AS timestamptz))
    -- Whether a pipeline has started is found out for those that may match only.
    AND (CAST(:statuses AS text[]) IS NULL OR looked_at.status = ANY(CAST(:statuses AS text[]))
        OR looked_at.status = 'LIVE')
    AND (CAST(:statuses AS text[]) IS NULL OR
        CASE WHEN looked_at.status <> 'LIVE' THEN looked_at.status
            WHEN p.has_started THEN 'RUNNING' ELSE 'NOT_STARTED' END
        = ANY(CAST(:statuses AS text[])))
ORDER BY looked_at.pipeline_id DESC
LIMIT CAST(:rows_max AS bigint);
