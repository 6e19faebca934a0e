-- A page of remembered Submits, by their key, each with whether what it was answered exists.
SELECT r.request_id, r.pipeline_id, r.job_id,
    p.tenant IS NOT DISTINCT FROM r.tenant AND j.tenant IS NOT DISTINCT FROM r.tenant AS is_kept
FROM scheduler.submit_requests AS r
LEFT JOIN scheduler.pipelines AS p ON p.pipeline_id = r.pipeline_id
LEFT JOIN scheduler.jobs AS j ON j.job_id = r.job_id
WHERE r.tenant = :tenant AND (r.tenant, r.request_id) > (:tenant, CAST(:after AS uuid))
ORDER BY r.request_id
LIMIT CAST(:requests_max AS bigint);
