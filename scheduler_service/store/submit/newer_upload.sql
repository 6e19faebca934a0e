-- The newest pipeline that has brought, or is about to bring, what these older uploads would
-- replace. A pipeline that runs another one again is as old as that one, whose file it has.
-- Jobs are read of those pipelines alone whose root brings such data, or a part of which may.
WITH RECURSIVE wanted AS MATERIALIZED (
    SELECT w.job_type, w.named_by, w.module, w.data_entry_type, w.year,
        lower(btrim(w.unit)) AS unit, w.reference_kind,
        -- As workers read it: without a name, an upload is of the default source.
        coalesce(nullif(lower(btrim(w.name)), ''), 'default') AS name
    FROM unnest(
        CAST(:job_types AS text[]), CAST(:named_bys AS text[]), CAST(:modules AS smallint[]),
        CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[]), CAST(:units AS text[]),
        CAST(:reference_kinds AS text[]), CAST(:names AS text[])
    ) AS w (job_type, named_by, module, data_entry_type, year, unit, reference_kind, name)
), roots AS MATERIALIZED (
    SELECT DISTINCT r.kind, r.kind = w.job_type AS brings, w.module, w.unit
    FROM unnest(CAST(:kinds AS text[]), CAST(:brought_types AS text[])) AS r (kind, job_type)
    JOIN wanted AS w ON w.job_type = r.job_type
), later AS MATERIALIZED (
    SELECT p.pipeline_id, p.retry_of
    FROM scheduler.pipelines AS p
    WHERE p.tenant = :tenant AND p.pipeline_id > CAST(:oldest AS bigint)
        AND p.pipeline_id <> CAST(:pipeline_id AS bigint)
        AND EXISTS (
            SELECT FROM roots AS r
            WHERE r.kind = p.kind AND (r.module IS NULL OR r.module = p.module)
                AND (NOT r.brings OR r.unit IS NOT DISTINCT FROM lower(btrim(p.unit)))
        )
), found AS MATERIALIZED (
    SELECT l.pipeline_id, l.retry_of, b.job_type
    FROM later AS l
    CROSS JOIN LATERAL (
        SELECT min(j.job_type) AS job_type
        FROM scheduler.jobs AS j
        JOIN wanted AS w ON w.job_type = j.job_type
            AND (w.module IS NULL OR w.module = j.module)
            -- A file that is not divided yet may have any type.
            AND (
                w.data_entry_type IS NULL OR j.data_entry_type IS NULL
                OR w.data_entry_type = j.data_entry_type
            )
            AND (w.year IS NULL OR w.year = j.year)
            AND w.unit IS NOT DISTINCT FROM lower(btrim(j.unit))
            AND (w.reference_kind IS NULL OR w.reference_kind = j.reference_kind)
            AND w.name
                = coalesce(nullif(lower(btrim(j.payload ->> w.named_by)), ''), 'default')
        WHERE j.pipeline_id = l.pipeline_id
            AND (j.result IS NULL OR j.result IN ('SUCCESS', 'WARNING'))
    ) AS b
    WHERE b.job_type IS NOT NULL
), ages AS (
    SELECT f.pipeline_id, f.job_type, coalesce(f.retry_of, f.pipeline_id) AS oldest
    FROM found AS f
    UNION ALL
    SELECT a.pipeline_id, a.job_type, p.retry_of
    FROM ages AS a
    JOIN scheduler.pipelines AS p ON p.pipeline_id = a.oldest
    WHERE p.retry_of IS NOT NULL
)
SELECT a.pipeline_id, a.job_type
FROM ages AS a
GROUP BY a.pipeline_id, a.job_type
HAVING (min(a.oldest), a.pipeline_id) > (CAST(:oldest AS bigint), CAST(:pipeline_id AS bigint))
ORDER BY a.pipeline_id DESC
LIMIT 1;
