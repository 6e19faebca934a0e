-- A hundred pipelines with a root each and the record of its request, with nothing around it.
WITH made AS MATERIALIZED (
    SELECT nextval('scheduler.pipeline_ids') AS pipeline_id, nextval('scheduler.job_ids') AS job_id
    FROM generate_series(1, 100)
), requests AS (
    INSERT INTO scheduler.submit_requests
        (tenant, request_id, body_digest, pipeline_id, job_id, created_at)
    SELECT 'bench', gen_random_uuid(), sha256('body'), pipeline_id, job_id, statement_timestamp()
    FROM made
), pipelines AS (
    INSERT INTO scheduler.pipelines (
        pipeline_id, tenant, kind, status, version, live_jobs, failed_jobs, warned_jobs,
        root_job_id, submitted_by, created_at
    )
    SELECT pipeline_id, 'bench', 'noop', 'LIVE', 1, 1, 0, 0, job_id, 'pgbench',
        statement_timestamp()
    FROM made
)
INSERT INTO scheduler.jobs (
    job_id, pipeline_id, tenant, job_type, state, priority, fair_stamp, attempts_max,
    changed_version, created_at
)
SELECT job_id, pipeline_id, 'bench', 'noop', 'QUEUED', 5, job_id, 5, 1, statement_timestamp()
FROM made;
