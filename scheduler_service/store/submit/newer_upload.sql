-- The newest pipeline that has brought, or is about to bring, what these older uploads would
-- replace. A pipeline that runs another one again is as old as that one, whose file it has.
-- From the newest on, and of each kind of upload only as far as the first that counts.
WITH wanted AS MATERIALIZED (
    SELECT w.job_type, w.named_by, w.module, w.data_entry_type, w.year,
        scheduler.comparison_key(btrim(w.unit)) AS unit, w.reference_kind,
        -- As workers read it: without a name, an upload is of the default source.
        coalesce(nullif(scheduler.comparison_key(btrim(w.name)), ''), 'default') AS name
    FROM unnest(
        CAST(:job_types AS text[]), CAST(:named_bys AS text[]), CAST(:modules AS smallint[]),
        CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[]), CAST(:units AS text[]),
        CAST(:reference_kinds AS text[]), CAST(:names AS text[])
    ) AS w (job_type, named_by, module, data_entry_type, year, unit, reference_kind, name)
)
SELECT newest.pipeline_id, newest.job_type
FROM wanted AS w
CROSS JOIN LATERAL (
    SELECT j.pipeline_id, j.job_type
    FROM scheduler.jobs AS j
    WHERE j.tenant = :tenant AND j.job_type = w.job_type
        AND coalesce(j.module, 0) = coalesce(w.module, 0)
        AND coalesce(scheduler.comparison_key(btrim(j.unit)), '') = coalesce(w.unit, '')
        AND coalesce(j.year, 0) BETWEEN coalesce(w.year, 0) AND coalesce(w.year, 32767)
        AND j.pipeline_id > CAST(:oldest AS bigint)
        AND j.pipeline_id <> CAST(:pipeline_id AS bigint)
        AND j.job_type IN ('csv_ingest', 'api_ingest', 'routed_ingest', 'factor_ingest',
            'routed_factor_ingest', 'reference_ingest', 'unit_sync', 'unit_removal')
        AND (j.result IS NULL OR j.result IN ('SUCCESS', 'WARNING'))
        -- A file that is not divided yet may have any type.
        AND (
            w.data_entry_type IS NULL OR j.data_entry_type IS NULL
            OR w.data_entry_type = j.data_entry_type
        )
        AND (w.reference_kind IS NULL OR w.reference_kind = j.reference_kind)
        AND w.name = coalesce(
            nullif(scheduler.comparison_key(btrim(j.payload ->> w.named_by)), ''), 'default'
        )
        AND (
            WITH RECURSIVE run_again AS (
                SELECT p.retry_of
                FROM scheduler.pipelines AS p
                WHERE p.pipeline_id = j.pipeline_id AND p.retry_of IS NOT NULL
                UNION ALL
                SELECT p.retry_of
                FROM run_again AS r
                JOIN scheduler.pipelines AS p ON p.pipeline_id = r.retry_of
                WHERE p.retry_of IS NOT NULL
            )
            SELECT (coalesce(min(r.retry_of), j.pipeline_id), j.pipeline_id)
                > (CAST(:oldest AS bigint), CAST(:pipeline_id AS bigint))
            FROM run_again AS r
        )
    ORDER BY j.pipeline_id DESC
    LIMIT 1
) AS newest
ORDER BY newest.pipeline_id DESC
LIMIT 1;
