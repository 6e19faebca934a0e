-- Hold children until their barrier lets them become jobs; says which are new.
INSERT INTO scheduler.held_children (pipeline_id, job_type, module, year, parent_job_id, child_key)
SELECT n.pipeline_id, n.job_type, n.module, n.year, n.parent_job_id, n.child_key
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
    CAST(:years AS smallint[]), CAST(:parent_job_ids AS bigint[]), CAST(:child_keys AS text[])
) AS n (pipeline_id, job_type, module, year, parent_job_id, child_key)
ON CONFLICT DO NOTHING
RETURNING pipeline_id;
