-- Draw ids for pipelines and jobs that are about to be inserted.
SELECT
    ARRAY(SELECT nextval('scheduler.pipeline_ids') FROM generate_series(1, CAST(:pipelines AS int)))
        AS pipeline_ids,
    ARRAY(SELECT nextval('scheduler.job_ids') FROM generate_series(1, CAST(:jobs AS int)))
        AS job_ids;
