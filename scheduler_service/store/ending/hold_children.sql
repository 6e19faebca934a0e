-- Hold children until their barrier lets them become jobs; says which are new. One that is held
-- already has the best priority of those that want it.
INSERT INTO scheduler.held_children AS h
    (pipeline_id, job_type, module, year, parent_job_id, child_key, priority)
SELECT n.pipeline_id, n.job_type, n.module, n.year, n.parent_job_id, n.child_key, n.priority
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
    CAST(:years AS smallint[]), CAST(:parent_job_ids AS bigint[]), CAST(:child_keys AS text[]),
    CAST(:priorities AS smallint[])
) AS n (pipeline_id, job_type, module, year, parent_job_id, child_key, priority)
ON CONFLICT (pipeline_id, job_type, module, year) DO UPDATE
    SET priority = excluded.priority
    WHERE excluded.priority < h.priority
RETURNING pipeline_id, h.xmax = 0 AS is_new;
