-- Pipelines whose roots wait for no key and look at no year: each with its root and the record of
-- its request, claimable at once. A request that is known, or on its way elsewhere, is left out.
WITH asked AS (
    SELECT n.*, nextval('scheduler.pipeline_ids') AS pipeline_id,
        nextval('scheduler.job_ids') AS job_id
    FROM unnest(
        CAST(:tenants AS text[]), CAST(:request_ids AS uuid[]), CAST(:body_digests AS bytea[]),
        CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
        CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[]),
        CAST(:units AS text[]), CAST(:reference_kinds AS text[]), CAST(:payloads AS jsonb[]),
        CAST(:priorities AS smallint[]), CAST(:fair_stamps AS bigint[]),
        CAST(:attempts_maxima AS smallint[]), CAST(:submitted_bys AS text[])
    ) WITH ORDINALITY AS n (tenant, request_id, body_digest, job_type, module, data_entry_type,
        year, unit, reference_kind, payload, priority, fair_stamp, attempts_max, submitted_by,
        number)
), recorded AS (
    INSERT INTO scheduler.submit_requests
        (tenant, request_id, body_digest, pipeline_id, job_id, created_at)
    SELECT tenant, request_id, body_digest, pipeline_id, job_id, scheduler.clock()
    FROM asked
    -- In one order, as every record of requests: two batches that share some must not deadlock.
    -- Of a request that comes twice the first counts.
    ORDER BY tenant, request_id, number
    ON CONFLICT DO NOTHING
    RETURNING pipeline_id
), new AS MATERIALIZED (
    SELECT asked.* FROM recorded JOIN asked USING (pipeline_id)
), pipelines AS (
    INSERT INTO scheduler.pipelines (
        pipeline_id, tenant, kind, module, data_entry_type, year, unit, reference_kind, status,
        version, live_jobs, failed_jobs, warned_jobs, root_job_id, submitted_by, created_at
    )
    SELECT pipeline_id, tenant, job_type, module, data_entry_type, year, unit, reference_kind,
        'LIVE', 1, 1, 0, 0, job_id, submitted_by, scheduler.clock()
    FROM new
), jobs AS (
    INSERT INTO scheduler.jobs (
        job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
        reference_kind, payload, state, priority, fair_stamp, attempts_max, changed_version,
        created_at
    )
    SELECT job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
        reference_kind, payload, 'QUEUED', priority, fair_stamp, attempts_max, 1,
        scheduler.clock()
    FROM new
)
SELECT number, pipeline_id, job_id FROM new;
