-- A cancelled pipeline wishes nothing more.
DELETE FROM scheduler.wishes WHERE pipeline_id = :pipeline_id RETURNING job_type;
