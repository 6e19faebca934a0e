-- Jobs that a cancelled pipeline had owned and has left to others.
INSERT INTO scheduler.job_links (pipeline_id, job_id, joined_version, changed_version, left_version)
SELECT :pipeline_id, n.job_id, :version, :version, :version
FROM unnest(CAST(:job_ids AS bigint[])) AS n (job_id)
ORDER BY n.job_id
ON CONFLICT (pipeline_id, job_id)
    DO UPDATE SET left_version = excluded.left_version,
        changed_version = excluded.changed_version;
