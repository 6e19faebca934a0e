-- New jobs; one whose coalesce key has a waiting duplicate becomes that duplicate instead.
-- Its update locks the duplicate, which cannot be claimed before this transaction has joined it,
-- and makes it as urgent as the most urgent of those who want it.
WITH new AS MATERIALIZED (
    SELECT *
    FROM unnest(
        CAST(:job_ids AS bigint[]), CAST(:pipeline_ids AS bigint[]), CAST(:tenants AS text[]),
        CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
        CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[]), CAST(:units AS text[]),
        CAST(:reference_kinds AS text[]), CAST(:payloads AS jsonb[]), CAST(:states AS text[]),
        CAST(:priorities AS smallint[]), CAST(:attempts_maxima AS smallint[]),
        CAST(:coalesce_keys AS text[]), CAST(:exclusive_keys AS text[]),
        CAST(:key_numbers AS bigint[]), CAST(:slot_keys AS text[]),
        CAST(:parent_job_ids AS bigint[]), CAST(:child_keys AS text[]),
        CAST(:changed_versions AS bigint[])
    ) AS n (job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
        reference_kind, payload, state, priority, attempts_max, coalesce_key, exclusive_key,
        key_number, slot_key, parent_job_id, child_key, changed_version)
), flows AS MATERIALIZED (
    SELECT f.*, scheduler.fair_stamp(f.tenant, f.job_type, f.priority, NULL) AS first_stamp
    FROM (SELECT DISTINCT tenant, job_type, priority FROM new) AS f
)
INSERT INTO scheduler.jobs AS j (
    job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit, reference_kind,
    payload, state, priority, fair_stamp, attempts_max, coalesce_key, exclusive_key, key_number,
    slot_key, parent_job_id, child_key, changed_version, created_at
)
SELECT n.job_id, n.pipeline_id, n.tenant, n.job_type, n.module, n.data_entry_type, n.year, n.unit,
    n.reference_kind, n.payload, n.state, n.priority,
    f.first_stamp - 1 + row_number() OVER (
        PARTITION BY n.tenant, n.job_type, n.priority ORDER BY n.job_id
    ),
    n.attempts_max, n.coalesce_key, n.exclusive_key, n.key_number, n.slot_key, n.parent_job_id,
    n.child_key, n.changed_version, scheduler.clock()
FROM new AS n
JOIN flows AS f
    ON f.tenant = n.tenant AND f.job_type = n.job_type AND f.priority = n.priority
ON CONFLICT (coalesce_key)
    WHERE state IN ('NOT_STARTED', 'QUEUED') AND coalesce_key IS NOT NULL
    DO UPDATE SET coalesce_key = excluded.coalesce_key,
        priority = least(j.priority, excluded.priority),
        fair_stamp = CASE WHEN excluded.priority < j.priority
            THEN excluded.fair_stamp ELSE j.fair_stamp END
RETURNING job_id, pipeline_id, coalesce_key;
