-- Take back wishes that are fulfilled.
DELETE FROM scheduler.wishes AS w
USING unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
    CAST(:years AS smallint[])
) AS n (pipeline_id, job_type, module, year)
WHERE w.pipeline_id = n.pipeline_id AND w.job_type = n.job_type
    AND w.module = n.module AND w.year = n.year
RETURNING w.pipeline_id;
