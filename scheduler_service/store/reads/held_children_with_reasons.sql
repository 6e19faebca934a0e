-- The children that barriers of a pipeline hold, each with the jobs that it waits for, own and
-- joined; at most :shown_max of either. A job type waits for the type beside it.
SELECT w.job_type, w.module, w.year, w.parent_job_id,
    ARRAY(
        SELECT live.job_id
        FROM (
            SELECT o.job_id FROM scheduler.jobs AS o
            WHERE o.pipeline_id = w.pipeline_id AND (o.state = 'FINISHED') IS FALSE
                AND o.job_type = b.after_type AND o.module = w.module AND o.year = w.year
            UNION ALL
            SELECT o.job_id
            FROM scheduler.job_links AS l JOIN scheduler.jobs AS o ON o.job_id = l.job_id
            WHERE l.pipeline_id = w.pipeline_id AND l.left_version IS NULL
                AND o.job_type = b.after_type AND o.state <> 'FINISHED'
                AND o.module = w.module AND o.year = w.year
        ) AS live
        ORDER BY live.job_id
        LIMIT CAST(:shown_max AS bigint)
    ) AS waits_for
FROM scheduler.held_children AS w
JOIN unnest(CAST(:job_types AS text[]), CAST(:after_types AS text[])) AS b (job_type, after_type)
    ON b.job_type = w.job_type
WHERE w.pipeline_id = :pipeline_id
ORDER BY w.job_type, w.module, w.year
LIMIT CAST(:shown_max AS bigint);
