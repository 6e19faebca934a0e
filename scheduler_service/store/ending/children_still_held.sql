-- Which children are still held: a job of their barrier, own or joined, is live in the pipeline.
SELECT n.pipeline_id, n.job_type, n.module, n.year
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:job_types AS text[]), CAST(:after_types AS text[]),
    CAST(:modules AS smallint[]), CAST(:years AS smallint[])
) AS n (pipeline_id, job_type, after_type, module, year)
WHERE (
        SELECT true FROM scheduler.jobs AS j
        WHERE j.pipeline_id = n.pipeline_id AND j.job_type = n.after_type
            AND (j.state = 'FINISHED') IS FALSE AND j.module = n.module AND j.year = n.year
        LIMIT 1
    ) IS NOT NULL
    -- With a LIMIT it is looked up for each; EXISTS might be answered from a list of all.
    OR (
        SELECT true FROM scheduler.job_links AS l
        JOIN scheduler.jobs AS j ON j.job_id = l.job_id
        WHERE l.pipeline_id = n.pipeline_id AND l.left_version IS NULL
            AND j.job_type = n.after_type AND j.state <> 'FINISHED'
            AND j.module = n.module AND j.year = n.year
        LIMIT 1
    ) IS NOT NULL;
