-- Lock the jobs of a pipeline that have not ended, by number.
SELECT *
FROM scheduler.jobs_in_brief
WHERE pipeline_id = :pipeline_id AND (state = 'FINISHED') IS FALSE
ORDER BY job_id
FOR UPDATE;
