-- A pipeline as a retry needs to know it.
SELECT pipeline_id, tenant, kind, module, data_entry_type, year, unit, reference_kind, status
FROM scheduler.pipelines
WHERE pipeline_id = :pipeline_id;
