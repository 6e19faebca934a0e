-- NOT_STARTED -> QUEUED, for jobs that are first of their key and due; the key is locked.
UPDATE scheduler.jobs
SET state = 'QUEUED', run_after = NULL
WHERE job_id = ANY(CAST(:job_ids AS bigint[]))
    AND state = 'NOT_STARTED'
    AND (run_after IS NULL OR run_after <= scheduler.clock())
RETURNING job_id, job_type;
