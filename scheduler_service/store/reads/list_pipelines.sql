-- Pipelines of a tenant, newest first, by keyset.
SELECT * FROM scheduler.pipeline_summaries AS p
WHERE p.tenant = :tenant
    AND (CAST(:before_id AS bigint) IS NULL OR p.pipeline_id < CAST(:before_id AS bigint))
    AND (CAST(:kind AS text) IS NULL OR p.kind = CAST(:kind AS text))
    AND (CAST(:module AS smallint) IS NULL OR p.module = CAST(:module AS smallint))
    AND (CAST(:year AS smallint) IS NULL OR p.year = CAST(:year AS smallint))
    AND (NOT CAST(:errors_only AS boolean) OR p.failed_jobs > 0)
    AND (CAST(:created_from AS timestamptz) IS NULL
        OR p.created_at >= CAST(:created_from AS timestamptz))
    AND (CAST(:created_before AS timestamptz) IS NULL
        OR p.created_at < CAST(:created_before AS timestamptz))
    AND (CAST(:statuses AS text[]) IS NULL OR
        CASE WHEN p.status <> 'LIVE' THEN p.status
            WHEN p.has_started THEN 'RUNNING' ELSE 'NOT_STARTED' END
        = ANY(CAST(:statuses AS text[])))
ORDER BY p.pipeline_id DESC
LIMIT CAST(:rows_max AS bigint);
