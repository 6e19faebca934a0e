-- Uploads for modules of a year that failed, the newest first, and that no later upload of the same
-- kind, type, unit and source has made good. A cancelled one makes nothing good, nor does a retry
-- that only computes: it keeps the kind of the upload, but brings no file. Sources are compared as
-- workers read them. Of the newest pipelines of a tenant it looks at so many at most.
WITH uploads AS MATERIALIZED (
    SELECT looked_at.*
    FROM (
        SELECT l.pipeline_id, l.kind, l.module, l.data_entry_type, l.year, l.unit, l.status,
            l.root_job_id
        FROM scheduler.pipelines AS l
        WHERE l.tenant = :tenant AND (l.tenant, l.pipeline_id) < (:tenant, 9223372036854775807)
        ORDER BY l.pipeline_id DESC
        LIMIT CAST(:pipelines_max AS bigint)
    ) AS looked_at
    WHERE looked_at.year = CAST(:year AS smallint)
        AND looked_at.module = ANY(CAST(:modules AS smallint[]))
        AND looked_at.kind = ANY(CAST(:kinds AS text[]))
        AND looked_at.status IN ('SUCCESS', 'PARTIAL', 'FAILED')
), failed AS (
    SELECT u.*, s.source
    FROM uploads AS u
    CROSS JOIN LATERAL (
        SELECT coalesce(
            nullif(
                lower(btrim(coalesce(r.payload ->> 'source', r.payload ->> 'provider'))), ''
            ),
            'default'
        ) AS source
        FROM scheduler.jobs AS r
        WHERE r.job_id = u.root_job_id
        LIMIT 1
    ) AS s
    WHERE u.status = 'FAILED'
    ORDER BY u.pipeline_id DESC
    LIMIT CAST(:failed_max AS bigint)
)
SELECT f.module, f.pipeline_id
FROM failed AS f
WHERE NOT EXISTS (
    SELECT 1
    FROM uploads AS later
    JOIN scheduler.jobs AS r ON r.job_id = later.root_job_id AND r.job_type = later.kind
    WHERE later.pipeline_id > f.pipeline_id AND later.status <> 'FAILED' AND later.kind = f.kind
        AND later.module = f.module
        AND later.data_entry_type IS NOT DISTINCT FROM f.data_entry_type
        AND lower(btrim(later.unit)) IS NOT DISTINCT FROM lower(btrim(f.unit))
        AND coalesce(
            nullif(
                lower(btrim(coalesce(r.payload ->> 'source', r.payload ->> 'provider'))), ''
            ),
            'default'
        ) = f.source
)
ORDER BY f.pipeline_id DESC;
