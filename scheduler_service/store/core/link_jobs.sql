-- Link pipelines to jobs of other pipelines; says which links are new.
INSERT INTO scheduler.job_links AS l (pipeline_id, job_id, joined_version, changed_version)
SELECT n.pipeline_id, n.job_id, n.version, n.version
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_ids AS bigint[]), CAST(:versions AS bigint[])
) AS n (pipeline_id, job_id, version)
ORDER BY n.pipeline_id, n.job_id
ON CONFLICT (pipeline_id, job_id)
    DO UPDATE SET left_version = NULL, changed_version = excluded.changed_version
    WHERE l.left_version IS NOT NULL
RETURNING l.pipeline_id, l.job_id;
