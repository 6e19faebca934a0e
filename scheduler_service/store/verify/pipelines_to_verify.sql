-- A page of a tenant's pipelines, by number, and which of them have not ended.
SELECT p.pipeline_id, p.status = 'LIVE' AS is_live
FROM scheduler.pipelines AS p
WHERE p.tenant = :tenant
    AND (p.tenant, p.pipeline_id) > (:tenant, CAST(:after_pipeline_id AS bigint))
ORDER BY p.pipeline_id
LIMIT CAST(:pipelines_max AS bigint);
