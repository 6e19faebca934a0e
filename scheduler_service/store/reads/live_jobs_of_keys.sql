-- Scopes of the jobs with these exclusive keys that are not over: claimable or running, or waiting.
SELECT j.job_type, j.tenant, j.module, j.data_entry_type, j.year, j.unit, j.reference_kind
FROM scheduler.jobs AS j
WHERE j.exclusive_key = ANY(CAST(:keys AS text[])) AND j.exclusive_key IS NOT NULL
    AND j.state IN ('QUEUED', 'RUNNING')
UNION
SELECT j.job_type, j.tenant, j.module, j.data_entry_type, j.year, j.unit, j.reference_kind
FROM scheduler.jobs AS j
WHERE j.exclusive_key = ANY(CAST(:keys AS text[])) AND j.exclusive_key IS NOT NULL
    AND j.state = 'NOT_STARTED';
