-- The jobs of a pipeline that have not ended, unlocked.
SELECT *
FROM scheduler.jobs_in_brief
WHERE pipeline_id = :pipeline_id AND (state = 'FINISHED') IS FALSE;
