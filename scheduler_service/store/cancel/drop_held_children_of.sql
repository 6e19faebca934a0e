-- A cancelled pipeline holds no children any more.
DELETE FROM scheduler.held_children WHERE pipeline_id = :pipeline_id RETURNING job_type;
