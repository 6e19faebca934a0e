-- Jobs of pipelines, own and joined, that changed after a version: of each pipeline the first ones,
-- by the version of their last change; after version 0 by number. Which they are is found in narrow
-- rows; only these are read as a whole.
SELECT n.pipeline_id AS seen_by, first.is_joined, first.has_left, first.seen_version, j.*
FROM unnest(CAST(:pipeline_ids AS bigint[]), CAST(:after_versions AS bigint[]))
    AS n (pipeline_id, after_version)
CROSS JOIN LATERAL (
    SELECT seen.*
    FROM (
        SELECT o.job_id, false AS is_joined, false AS has_left, o.changed_version AS seen_version
        FROM scheduler.jobs AS o
        -- The index has a pipeline's live jobs apart from its finished ones: both are looked at.
        WHERE o.pipeline_id = n.pipeline_id AND (o.state = 'FINISHED') = ANY(ARRAY[false, true])
            AND o.changed_version > n.after_version
        UNION ALL
        SELECT l.job_id, true, l.left_version IS NOT NULL, l.changed_version
        FROM scheduler.job_links AS l
        WHERE l.pipeline_id = n.pipeline_id AND l.changed_version > n.after_version
            AND (l.left_version IS NULL OR n.after_version > 0)
    ) AS seen
    ORDER BY CASE WHEN n.after_version > 0 THEN seen.seen_version END, seen.job_id
    LIMIT CAST(:jobs_max AS bigint)
) AS first
JOIN scheduler.job_summaries AS j ON j.job_id = first.job_id
ORDER BY seen_by, j.job_id;
