-- A job whose owner was cancelled goes to the oldest pipeline that had joined it.
WITH passed AS (
    UPDATE scheduler.jobs AS j
    SET pipeline_id = n.heir, changed_version = n.version
    FROM unnest(CAST(:job_ids AS bigint[]), CAST(:heirs AS bigint[]), CAST(:versions AS bigint[]))
        AS n (job_id, heir, version)
    WHERE j.job_id = n.job_id
    RETURNING j.job_id, j.pipeline_id
)
DELETE FROM scheduler.job_links AS l
USING passed
WHERE l.job_id = passed.job_id AND l.pipeline_id = passed.pipeline_id;
