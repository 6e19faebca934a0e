-- A pipeline's own jobs and those that it joined, newest first, by keyset. The page is found in
-- narrow rows; only its jobs are read as a whole.
SELECT j.*, j.pipeline_id <> CAST(:pipeline_id AS bigint) AS is_joined
FROM (
    SELECT seen.job_id
    FROM (
        SELECT o.job_id, o.state, o.job_type, o.module, o.year, o.parent_job_id
        FROM scheduler.jobs AS o
        WHERE o.tenant = :tenant
            AND o.pipeline_id = CAST(:pipeline_id AS bigint)
            AND (o.state = 'FINISHED') = ANY(CAST(:finished AS boolean[]))
        UNION ALL
        SELECT o.job_id, o.state, o.job_type, o.module, o.year, o.parent_job_id
        FROM scheduler.job_links AS l
        JOIN scheduler.jobs AS o ON o.job_id = l.job_id
        WHERE o.tenant = :tenant
            AND l.pipeline_id = CAST(:pipeline_id AS bigint)
            AND l.left_version IS NULL
            AND (o.state = 'FINISHED') = ANY(CAST(:finished AS boolean[]))
    ) AS seen
    WHERE (CAST(:before_job_id AS bigint) IS NULL
            OR seen.job_id < CAST(:before_job_id AS bigint))
        AND (CAST(:states AS text[]) IS NULL OR seen.state = ANY(CAST(:states AS text[])))
        AND (CAST(:job_types AS text[]) IS NULL
            OR seen.job_type = ANY(CAST(:job_types AS text[])))
        AND (CAST(:parent_job_id AS bigint) IS NULL
            OR seen.parent_job_id = CAST(:parent_job_id AS bigint))
        AND (CAST(:module AS smallint) IS NULL OR seen.module = CAST(:module AS smallint))
        AND (CAST(:year AS smallint) IS NULL OR seen.year = CAST(:year AS smallint))
    ORDER BY seen.job_id DESC
    LIMIT CAST(:rows_max AS bigint)
) AS page
JOIN scheduler.job_summaries AS j ON j.job_id = page.job_id
ORDER BY page.job_id DESC;
