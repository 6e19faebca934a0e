-- Stage children under a claim; one staged before under the same name is replaced.
INSERT INTO scheduler.staged_children (
    parent_job_id, claim_token, child_key, job_type, module, data_entry_type, year, unit, payload
)
SELECT :parent_job_id, :claim_token, n.child_key, n.job_type, n.module, n.data_entry_type, n.year,
    n.unit, n.payload
FROM unnest(
    CAST(:child_keys AS text[]), CAST(:job_types AS text[]), CAST(:modules AS smallint[]),
    CAST(:data_entry_types AS smallint[]), CAST(:years AS smallint[]), CAST(:units AS text[]),
    CAST(:payloads AS jsonb[])
) AS n (child_key, job_type, module, data_entry_type, year, unit, payload)
ON CONFLICT (parent_job_id, claim_token, child_key) DO UPDATE
    SET job_type = excluded.job_type,
        module = excluded.module,
        data_entry_type = excluded.data_entry_type,
        year = excluded.year,
        unit = excluded.unit,
        payload = excluded.payload;
