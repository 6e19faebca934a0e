-- Jobs of a tenant, by keyset: the newest pipelines first, and each one's newest jobs first. Reads
-- no further than the page's end, and at most so many pipelines; none that has ended for live jobs.
SELECT j.*, false AS is_joined
FROM (
    SELECT l.pipeline_id, l.status, l.module, l.unit
    FROM scheduler.pipelines AS l
    -- With the tenant in it: else another index would do as well, as the planner counts.
    WHERE l.tenant = :tenant
        AND (l.tenant, l.pipeline_id)
            <= (:tenant, coalesce(CAST(:before_pipeline_id AS bigint), 9223372036854775807))
    ORDER BY l.pipeline_id DESC
    LIMIT CAST(:pipelines_max AS bigint)
) AS p
CROSS JOIN LATERAL (
    SELECT o.job_id
    FROM scheduler.jobs AS o
    WHERE o.pipeline_id = p.pipeline_id
        AND (o.state = 'FINISHED') = ANY(CAST(:finished AS boolean[]))
        AND (p.pipeline_id < coalesce(CAST(:before_pipeline_id AS bigint), p.pipeline_id + 1)
            OR o.job_id < CAST(:before_job_id AS bigint))
        AND (CAST(:states AS text[]) IS NULL OR o.state = ANY(CAST(:states AS text[])))
        AND (CAST(:job_types AS text[]) IS NULL OR o.job_type = ANY(CAST(:job_types AS text[])))
        AND (CAST(:parent_job_id AS bigint) IS NULL
            OR o.parent_job_id = CAST(:parent_job_id AS bigint))
        AND (CAST(:module AS smallint) IS NULL OR o.module = CAST(:module AS smallint))
        AND (CAST(:year AS smallint) IS NULL OR o.year = CAST(:year AS smallint))
    ORDER BY o.job_id DESC
    LIMIT CAST(:rows_max AS bigint)
) AS page
JOIN scheduler.job_summaries AS j ON j.job_id = page.job_id
WHERE (p.status = 'LIVE' OR true = ANY(CAST(:finished AS boolean[])))
    AND (CAST(:modules AS smallint[]) IS NULL OR p.module = ANY(CAST(:modules AS smallint[])))
    AND (CAST(:units AS text[]) IS NULL OR p.unit = ANY(CAST(:units AS text[])))
ORDER BY p.pipeline_id DESC, page.job_id DESC
LIMIT CAST(:rows_max AS bigint);
