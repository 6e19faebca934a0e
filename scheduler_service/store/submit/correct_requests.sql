-- Submits whose root joined another job: remember that one.
UPDATE scheduler.submit_requests AS r
SET job_id = n.job_id
FROM unnest(CAST(:tenants AS text[]), CAST(:request_ids AS uuid[]), CAST(:job_ids AS bigint[]))
    AS n (tenant, request_id, job_id)
WHERE r.tenant = n.tenant AND r.request_id = n.request_id;
