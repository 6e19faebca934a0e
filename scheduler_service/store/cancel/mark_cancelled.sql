-- Say who cancelled a pipeline, and why.
UPDATE scheduler.pipelines
SET cancelled_at = scheduler.clock(), cancelled_by = :cancelled_by, cancel_reason = :reason
WHERE pipeline_id = :pipeline_id;
