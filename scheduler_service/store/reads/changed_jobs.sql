-- Jobs of pipelines, own and joined, that changed after a version; read with the pipelines.
SELECT n.pipeline_id AS seen_by, false AS is_joined, false AS has_left, j.*
FROM unnest(CAST(:pipeline_ids AS bigint[]), CAST(:after_versions AS bigint[]))
    AS n (pipeline_id, after_version)
JOIN scheduler.job_summaries AS j
    -- The index has a pipeline's live jobs apart from its finished ones: both are looked at.
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
        AND j.changed_version > n.after_version
UNION ALL
SELECT n.pipeline_id, true, l.left_version IS NOT NULL, j.*
FROM unnest(CAST(:pipeline_ids AS bigint[]), CAST(:after_versions AS bigint[]))
    AS n (pipeline_id, after_version)
JOIN scheduler.job_links AS l
    ON l.pipeline_id = n.pipeline_id AND l.changed_version > n.after_version
JOIN scheduler.job_summaries AS j ON j.job_id = l.job_id
WHERE l.left_version IS NULL OR n.after_version > 0
ORDER BY seen_by, job_id;
