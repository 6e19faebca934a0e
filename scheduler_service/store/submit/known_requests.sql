-- Submits that were answered before.
SELECT r.tenant, r.request_id, r.body_digest, r.pipeline_id, r.job_id, r.disposition,
    r.retried
FROM scheduler.submit_requests AS r
JOIN unnest(CAST(:tenants AS text[]), CAST(:request_ids AS uuid[])) AS n (tenant, request_id)
    ON n.tenant = r.tenant AND n.request_id = r.request_id;
