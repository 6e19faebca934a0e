-- Children that are held no longer: they become jobs. Says which there were.
DELETE FROM scheduler.held_children AS h
USING unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
    CAST(:years AS smallint[])
) AS n (pipeline_id, job_type, module, year)
WHERE h.pipeline_id = n.pipeline_id AND h.job_type = n.job_type
    AND h.module = n.module AND h.year = n.year
RETURNING h.pipeline_id;
