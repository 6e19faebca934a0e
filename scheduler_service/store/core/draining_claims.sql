-- Claims that drain, with the jobs they had; unlocked.
SELECT c.claim_token AS drain_token, c.worker_id AS drain_worker_id, c.principal AS drain_principal,
    j.job_id, j.pipeline_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
    j.reference_kind, j.exclusive_key, j.in_doubt_token, j.priority, j.state
FROM scheduler.claims AS c
JOIN scheduler.jobs AS j ON j.job_id = c.job_id
WHERE c.claim_token = ANY(CAST(:claim_tokens AS bigint[])) AND c.draining;
