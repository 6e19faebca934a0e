-- What the cancel of a pipeline did: jobs that it ended, and jobs that it left to others. The
-- latter were the pipeline's own until then, so that it joined and left them at one version.
SELECT j.job_id, false AS is_unlinked
FROM scheduler.jobs AS j
WHERE j.pipeline_id = CAST(:pipeline_id AS bigint) AND (j.state = 'FINISHED') IS TRUE
    AND j.result = 'CANCELLED'
UNION ALL
SELECT l.job_id, true
FROM scheduler.job_links AS l
WHERE l.pipeline_id = CAST(:pipeline_id AS bigint) AND l.left_version = l.joined_version
ORDER BY job_id;
