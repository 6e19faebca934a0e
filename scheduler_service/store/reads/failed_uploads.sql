-- Uploads for modules of a year whose failure stands, the newest of each module first: those of a
-- pipeline that has ended, and that no upload of a later pipeline of the same job type, data-entry
-- type, unit and source has made good. A part of a file of several types is an upload, too. Sources
-- and units are compared as workers read them. Of each module it looks at so many at most, and
-- passes over pipelines of other modules and units than the caller's.
SELECT stands.module, stands.pipeline_id
FROM unnest(CAST(:modules AS smallint[])) AS n (module)
CROSS JOIN LATERAL (
    SELECT f.module, f.pipeline_id
    FROM (
        SELECT j.tenant, j.year, j.module, j.job_type, j.data_entry_type, j.unit, j.pipeline_id,
            j.payload
        FROM scheduler.jobs AS j
        WHERE j.tenant = :tenant AND j.year = CAST(:year AS smallint) AND j.module = n.module
            AND j.result = 'ERROR'
            AND j.job_type IN ('csv_ingest', 'api_ingest', 'factor_ingest', 'routed_ingest',
                'routed_factor_ingest')
        ORDER BY j.pipeline_id DESC
        LIMIT CAST(:looked_at_max AS bigint)
    ) AS f
    JOIN scheduler.pipelines AS p ON p.pipeline_id = f.pipeline_id
    WHERE p.status IN ('FAILED', 'PARTIAL')
        AND (CAST(:own_modules AS smallint[]) IS NULL
            OR p.module = ANY(CAST(:own_modules AS smallint[])))
        AND (CAST(:own_units AS text[]) IS NULL OR p.unit = ANY(CAST(:own_units AS text[])))
        -- No join: each is looked up by itself, in the order of the index.
        AND (
            SELECT true
            FROM scheduler.jobs AS later
            WHERE later.tenant = f.tenant AND later.year = f.year AND later.module = f.module
                AND later.job_type = f.job_type
                AND coalesce(later.data_entry_type, 0) = coalesce(f.data_entry_type, 0)
                AND coalesce(scheduler.comparison_key(btrim(later.unit)), '')
                    = coalesce(scheduler.comparison_key(btrim(f.unit)), '')
                AND scheduler.upload_source(later.payload) = scheduler.upload_source(f.payload)
                AND later.pipeline_id > f.pipeline_id
                AND later.result IN ('SUCCESS', 'WARNING')
                AND later.job_type IN ('csv_ingest', 'api_ingest', 'factor_ingest',
                    'routed_ingest', 'routed_factor_ingest')
            LIMIT 1
        ) IS NULL
    ORDER BY f.pipeline_id DESC
    LIMIT CAST(:failed_max AS bigint)
) AS stands
ORDER BY stands.pipeline_id DESC;
