-- Say in which version of a joined pipeline its joined job changed.
UPDATE scheduler.job_links AS l
SET changed_version = n.version
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_ids AS bigint[]), CAST(:versions AS bigint[])
) AS n (pipeline_id, job_id, version)
WHERE l.pipeline_id = n.pipeline_id AND l.job_id = n.job_id;
