-- Remember the request of a retry and its answer; says so unless another call of it came first.
INSERT INTO scheduler.submit_requests
    (tenant, request_id, body_digest, pipeline_id, job_id, created_at, retried)
VALUES (:tenant, :request_id, :body_digest, :pipeline_id, :job_id, scheduler.clock(),
    CAST(:retried AS jsonb))
ON CONFLICT DO NOTHING
RETURNING pipeline_id;
