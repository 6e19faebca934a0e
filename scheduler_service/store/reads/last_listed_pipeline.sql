-- The last of so many pipelines of a tenant, by keyset as in list_jobs; none where there are fewer.
SELECT l.pipeline_id
FROM scheduler.pipelines AS l
WHERE l.tenant = :tenant
    AND (l.tenant, l.pipeline_id)
        <= (:tenant, coalesce(CAST(:before_pipeline_id AS bigint), 9223372036854775807))
ORDER BY l.pipeline_id DESC
OFFSET CAST(:pipelines_max AS bigint) - 1
LIMIT 1;
