-- The scope of a pipeline, which never changes.
SELECT p.tenant, p.module, p.data_entry_type, p.year, p.unit, p.reference_kind
FROM scheduler.pipelines AS p
WHERE p.pipeline_id = :pipeline_id;
