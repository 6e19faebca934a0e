-- Jobs that some claims want to end, unlocked: whose claim each is in now, and whether that claim
-- staged children.
SELECT j.job_id, j.pipeline_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
    j.reference_kind, j.state, j.result, j.claim_token, j.last_token, j.finished_by_token,
    j.coalesce_key, j.exclusive_key, j.dark_token, j.attempts, j.attempts_max, j.releases,
    j.lapses, j.worker_id, j.priority,
    (
        SELECT c.principal FROM scheduler.claims AS c WHERE c.claim_token = j.claim_token
    ) AS principal,
    -- With a LIMIT it is looked up for each; EXISTS might be answered from a list of all.
    (
        SELECT true FROM scheduler.staged_children AS s
        WHERE s.parent_job_id = j.job_id AND s.claim_token = j.claim_token
        LIMIT 1
    ) IS NOT NULL AS has_children
FROM scheduler.jobs AS j
WHERE j.job_id = ANY(CAST(:job_ids AS bigint[]));
