-- What is claimable or running in some pipelines, at most a hundred jobs of each.
SELECT n.pipeline_id AS seen_by, j.pipeline_id <> n.pipeline_id AS is_joined, j.*
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
CROSS JOIN LATERAL (
    (
        SELECT own.* FROM scheduler.job_summaries AS own
        WHERE own.pipeline_id = n.pipeline_id AND (own.state = 'FINISHED') IS FALSE
            AND own.state IN ('QUEUED', 'RUNNING')
        LIMIT 100
    )
    UNION ALL
    (
        SELECT joined.* FROM scheduler.job_links AS l
        JOIN scheduler.job_summaries AS joined ON joined.job_id = l.job_id
        WHERE l.pipeline_id = n.pipeline_id AND l.left_version IS NULL
            AND joined.state IN ('QUEUED', 'RUNNING')
        LIMIT 100
    )
) AS j
ORDER BY seen_by, job_id;
