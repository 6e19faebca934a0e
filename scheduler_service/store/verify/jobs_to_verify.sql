-- The last of a pipeline's next jobs, by number, and how many these are. All of the pipeline are
-- looked at: by number alone, jobs of all others would be.
SELECT coalesce(max(part.job_id), 0) AS last_job_id, count(*) AS jobs
FROM (
    SELECT j.job_id
    FROM scheduler.jobs AS j
    WHERE j.pipeline_id = CAST(:pipeline_id AS bigint)
        AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
        AND j.job_id + 0 > CAST(:after_job_id AS bigint)
    ORDER BY j.job_id + 0
    LIMIT CAST(:jobs_max AS bigint)
) AS part;
