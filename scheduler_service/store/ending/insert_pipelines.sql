-- New pipelines, each with its root live.
INSERT INTO scheduler.pipelines (
    pipeline_id, tenant, kind, module, data_entry_type, year, unit, reference_kind, status,
    version, live_jobs, failed_jobs, warned_jobs, root_job_id, submitted_by, repair_of, retry_of,
    created_at, finished_jobs, counted_version
)
SELECT n.pipeline_id, n.tenant, n.kind, n.module, n.data_entry_type, n.year, n.unit,
    n.reference_kind, 'LIVE', 1, 1, 0, 0, n.root_job_id, n.submitted_by, n.repair_of,
    n.retry_of, scheduler.clock(), 0, 1
FROM unnest(
    CAST(:pipeline_ids AS bigint[]), CAST(:tenants AS text[]), CAST(:kinds AS text[]),
    CAST(:modules AS smallint[]), CAST(:data_entry_types AS smallint[]),
    CAST(:years AS smallint[]), CAST(:units AS text[]), CAST(:reference_kinds AS text[]),
    CAST(:root_job_ids AS bigint[]), CAST(:submitted_bys AS text[]),
    CAST(:repairs_of AS bigint[]), CAST(:retries_of AS bigint[])
) AS n (pipeline_id, tenant, kind, module, data_entry_type, year, unit, reference_kind,
    root_job_id, submitted_by, repair_of, retry_of);
