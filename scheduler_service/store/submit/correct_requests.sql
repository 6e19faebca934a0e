-- Submits whose root joined another job: remember that one, and that they were answered so.
UPDATE scheduler.submit_requests AS r
SET job_id = n.job_id, disposition = 'JOINED'
FROM unnest(CAST(:tenants AS text[]), CAST(:request_ids AS uuid[]), CAST(:job_ids AS bigint[]))
    AS n (tenant, request_id, job_id)
WHERE r.tenant = n.tenant AND r.request_id = n.request_id;
