-- Held children that wait for nothing, and children that became jobs while a job of their barrier
-- was live: a job type waits for the type beside it. Jobs that came from a cancelled pipeline are
-- passed over, since their pipeline had not waited for all that it has now.
SELECT w.pipeline_id, w.parent_job_id AS job_id, 'its child ' || w.job_type || ' for module '
    || w.module || ' and year ' || w.year || ' is held and waits for nothing' AS detail
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.held_children AS w
    ON w.pipeline_id = n.pipeline_id
    AND w.parent_job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
JOIN unnest(CAST(:job_types AS text[]), CAST(:after_types AS text[])) AS b (job_type, after_type)
    ON b.job_type = w.job_type
WHERE (
        SELECT true FROM scheduler.jobs AS j
        WHERE j.pipeline_id = w.pipeline_id AND (j.state = 'FINISHED') IS FALSE
            AND j.job_type = b.after_type AND j.module = w.module AND j.year = w.year
        LIMIT 1
    ) IS NULL
    AND (
        SELECT true
        FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
        WHERE l.pipeline_id = w.pipeline_id AND l.left_version IS NULL
            AND j.job_type = b.after_type AND j.state <> 'FINISHED'
            AND j.module = w.module AND j.year = w.year
        LIMIT 1
    ) IS NULL
UNION ALL
SELECT j.pipeline_id, j.job_id, 'was created before the end of job ' || sibling.job_id
    || ', for which it had to wait'
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
JOIN unnest(CAST(:job_types AS text[]), CAST(:after_types AS text[])) AS b (job_type, after_type)
    ON b.job_type = j.job_type
JOIN scheduler.jobs AS parent
    ON parent.job_id = j.parent_job_id AND parent.pipeline_id = j.pipeline_id
CROSS JOIN LATERAL (
    SELECT s.job_id
    FROM scheduler.jobs AS s
    JOIN scheduler.jobs AS of_it
        ON of_it.job_id = s.parent_job_id AND of_it.pipeline_id = s.pipeline_id
    WHERE s.pipeline_id = j.pipeline_id AND (s.state = 'FINISHED') = ANY(ARRAY[false, true])
        AND s.job_type = b.after_type AND s.module = j.module AND s.year = j.year
        AND s.created_at < j.created_at
        AND (s.finished_at IS NULL OR s.finished_at > j.created_at)
    LIMIT 1
) AS sibling
LIMIT CAST(:findings_max AS bigint);
