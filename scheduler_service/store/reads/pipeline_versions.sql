-- The versions of some pipelines, and of a tenant's newest.
SELECT p.pipeline_id, p.version
FROM scheduler.pipelines AS p
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
UNION
(
    SELECT l.pipeline_id, l.version
    FROM scheduler.pipelines AS l
    -- With the tenant in it: else another index would do as well, as the planner counts.
    WHERE l.tenant = :tenant AND (l.tenant, l.pipeline_id) < (:tenant, 9223372036854775807)
    ORDER BY l.pipeline_id DESC
    LIMIT CAST(:newest_max AS bigint)
);
