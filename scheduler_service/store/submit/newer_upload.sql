-- The newest pipeline after another one whose upload, of the same scope and source, has landed.
SELECT p.pipeline_id
FROM scheduler.pipelines AS p
JOIN scheduler.jobs AS r ON r.job_id = p.root_job_id
WHERE p.tenant = :tenant AND p.pipeline_id > CAST(:pipeline_id AS bigint)
    -- A pipeline that runs another one again has the kind of that one, whatever it begins with.
    AND r.job_type = :job_type
    AND p.module IS NOT DISTINCT FROM CAST(:module AS smallint)
    AND p.data_entry_type IS NOT DISTINCT FROM CAST(:data_entry_type AS smallint)
    AND p.year IS NOT DISTINCT FROM CAST(:year AS smallint)
    AND p.unit IS NOT DISTINCT FROM CAST(:unit AS text)
    AND p.reference_kind IS NOT DISTINCT FROM CAST(:reference_kind AS text)
    AND r.result IN ('SUCCESS', 'WARNING')
    -- As workers read it: without a name, an upload is of the default source.
    AND coalesce(nullif(lower(btrim(r.payload ->> 'source')), ''), 'default')
        = coalesce(nullif(lower(btrim(CAST(:source AS text))), ''), 'default')
ORDER BY p.pipeline_id DESC
LIMIT 1;
