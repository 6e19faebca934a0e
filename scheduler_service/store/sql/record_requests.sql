-- Remember Submits by their ids, and draw the ids of what they make; says which are new.
-- A repeat that races waits here.
INSERT INTO scheduler.submit_requests
    (tenant, request_id, body_digest, pipeline_id, job_id, created_at)
SELECT n.tenant, n.request_id, n.body_digest, nextval('scheduler.pipeline_ids'),
    nextval('scheduler.job_ids'), scheduler.clock()
FROM (
    SELECT tenant, request_id, body_digest
    FROM unnest(
        CAST(:tenants AS text[]), CAST(:request_ids AS uuid[]), CAST(:body_digests AS bytea[])
    ) AS m (tenant, request_id, body_digest)
    ORDER BY tenant, request_id
) AS n
ON CONFLICT DO NOTHING
RETURNING tenant, request_id, pipeline_id, job_id;
