-- Pipelines leave jobs that they had joined, at a version; the row stays for their watchers.
UPDATE scheduler.job_links AS l
SET left_version = n.version, changed_version = n.version
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_ids AS bigint[]), CAST(:versions AS bigint[])
) AS n (pipeline_id, job_id, version)
WHERE l.pipeline_id = n.pipeline_id AND l.job_id = n.job_id AND l.left_version IS NULL;
