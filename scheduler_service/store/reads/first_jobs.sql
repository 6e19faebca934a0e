-- A pipeline's first jobs after one of them, own and joined, by number. Which they are is found in
-- narrow rows; only these are read as a whole.
SELECT j.*, j.pipeline_id <> CAST(:pipeline_id AS bigint) AS is_joined
FROM (
    SELECT seen.job_id
    FROM (
        SELECT o.job_id
        FROM scheduler.jobs AS o
        WHERE o.pipeline_id = CAST(:pipeline_id AS bigint)
        UNION ALL
        SELECT l.job_id
        FROM scheduler.job_links AS l
        WHERE l.pipeline_id = CAST(:pipeline_id AS bigint) AND l.left_version IS NULL
    ) AS seen
    WHERE seen.job_id > CAST(:after_job_id AS bigint)
    ORDER BY seen.job_id
    LIMIT CAST(:jobs_max AS bigint)
) AS first
JOIN scheduler.job_summaries AS j ON j.job_id = first.job_id
ORDER BY first.job_id;
