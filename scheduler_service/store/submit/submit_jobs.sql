-- New pipelines, each with its root and the record of its request. A root whose coalesce key has a
-- waiting duplicate becomes that one instead; of those that share a key here one leads. Says what
-- was made: a request that is known, or on its way elsewhere, is left out.
WITH asked AS (
    SELECT n.*, nextval('scheduler.pipeline_ids') AS pipeline_id,
        nextval('scheduler.job_ids') AS job_id
    FROM unnest(
        CAST(:tenants AS text[]), CAST(:request_ids AS uuid[]), CAST(:body_digests AS bytea[]),
        CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
        CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[]),
        CAST(:units AS text[]), CAST(:reference_kinds AS text[]), CAST(:payloads AS jsonb[]),
        CAST(:waits AS boolean[]), CAST(:priorities AS smallint[]),
        CAST(:attempts_maxima AS smallint[]),
        CAST(:coalesce_keys AS text[]), CAST(:exclusive_keys AS text[]),
        CAST(:key_numbers AS bigint[]), CAST(:slot_keys AS text[]),
        CAST(:submitted_bys AS text[]), CAST(:follows AS boolean[])
    ) WITH ORDINALITY AS n (tenant, request_id, body_digest, job_type, module, data_entry_type,
        year, unit, reference_kind, payload, waits, priority, attempts_max, coalesce_key,
        exclusive_key, key_number, slot_key, submitted_by, follows, number)
), recorded AS (
    INSERT INTO scheduler.submit_requests
        (tenant, request_id, body_digest, pipeline_id, job_id, created_at, disposition)
    SELECT tenant, request_id, body_digest, pipeline_id, job_id, scheduler.clock(),
        CASE WHEN waits THEN 'QUEUED_BEHIND' ELSE 'CREATED' END
    FROM asked
    -- In one order, as every record of requests: two batches that share some must not deadlock.
    -- Of a request that comes twice the first counts.
    ORDER BY tenant, request_id, number
    ON CONFLICT DO NOTHING
    RETURNING pipeline_id
), flows AS MATERIALIZED (
    SELECT f.*, scheduler.fair_stamp(f.tenant, f.job_type, f.priority, NULL) AS first_stamp
    FROM (SELECT DISTINCT tenant, job_type, priority FROM asked) AS f
), new AS MATERIALIZED (
    SELECT asked.*, flows.first_stamp - 1 + row_number() OVER (
            PARTITION BY asked.tenant, asked.job_type, asked.priority ORDER BY asked.number
        ) AS fair_stamp
    FROM recorded
    JOIN asked USING (pipeline_id)
    JOIN flows USING (tenant, job_type, priority)
), pipelines AS (
    INSERT INTO scheduler.pipelines (
        pipeline_id, tenant, kind, module, data_entry_type, year, unit, reference_kind, status,
        version, live_jobs, failed_jobs, warned_jobs, root_job_id, submitted_by, created_at,
        finished_jobs, counted_version
    )
    SELECT pipeline_id, tenant, job_type, module, data_entry_type, year, unit, reference_kind,
        'LIVE', 1, 1, 0, 0, job_id, submitted_by, scheduler.clock(), 0, 1
    FROM new
), jobs AS (
    INSERT INTO scheduler.jobs (
        job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
        reference_kind, payload, state, priority, fair_stamp, attempts_max, exclusive_key,
        key_number, slot_key, changed_version, created_at
    )
    SELECT job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
        reference_kind, payload, CASE WHEN waits THEN 'NOT_STARTED' ELSE 'QUEUED' END, priority,
        fair_stamp, attempts_max, exclusive_key, key_number, slot_key, 1, scheduler.clock()
    FROM new
    -- Apart from those below: what may conflict is written to the log twice.
    WHERE coalesce_key IS NULL
), coalescing AS (
    INSERT INTO scheduler.jobs AS j (
        job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, state, priority,
        fair_stamp, attempts_max, coalesce_key, exclusive_key, key_number, slot_key,
        changed_version, created_at
    )
    SELECT job_id, pipeline_id, tenant, job_type, module, data_entry_type, year,
        CASE WHEN waits THEN 'NOT_STARTED' ELSE 'QUEUED' END, priority, fair_stamp, attempts_max,
        coalesce_key, exclusive_key, key_number, slot_key, 1, scheduler.clock()
    FROM new
    WHERE coalesce_key IS NOT NULL AND follows IS NOT TRUE
    -- The update locks the duplicate, which cannot be claimed before it has been joined, and makes
    -- it as urgent as the most urgent of those who want it.
    ON CONFLICT (coalesce_key)
        WHERE state IN ('NOT_STARTED', 'QUEUED') AND coalesce_key IS NOT NULL
        DO UPDATE SET coalesce_key = excluded.coalesce_key,
            priority = least(j.priority, excluded.priority),
            fair_stamp = CASE WHEN excluded.priority < j.priority
                THEN excluded.fair_stamp ELSE j.fair_stamp END
    RETURNING job_id, coalesce_key
)
SELECT new.number, new.pipeline_id, new.job_id, c.job_id AS duplicate_id
FROM new
LEFT JOIN coalescing AS c ON c.coalesce_key = new.coalesce_key AND c.job_id <> new.job_id;
