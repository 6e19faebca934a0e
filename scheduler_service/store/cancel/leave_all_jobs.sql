-- A cancelled pipeline leaves every job that it had joined.
UPDATE scheduler.job_links AS l
SET left_version = :version, changed_version = :version
FROM scheduler.jobs AS j
WHERE l.pipeline_id = :pipeline_id AND l.left_version IS NULL AND j.job_id = l.job_id
RETURNING l.job_id, j.state <> 'FINISHED' AS was_live,
    j.state = 'FINISHED' AND j.pipeline_id <> l.pipeline_id AS was_counted;
