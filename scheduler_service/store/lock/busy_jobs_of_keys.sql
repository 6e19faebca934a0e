-- Jobs with these exclusive keys that are not over, and jobs that are, whose claims still drain.
SELECT j.job_id, j.job_type, j.year, j.state
FROM scheduler.jobs AS j
WHERE j.exclusive_key = ANY(CAST(:keys AS text[])) AND j.exclusive_key IS NOT NULL
    AND j.state IN ('QUEUED', 'RUNNING')
UNION
SELECT j.job_id, j.job_type, j.year, j.state
FROM scheduler.jobs AS j
WHERE j.exclusive_key = ANY(CAST(:keys AS text[])) AND j.exclusive_key IS NOT NULL
    AND j.state = 'NOT_STARTED'
UNION
SELECT j.job_id, j.job_type, j.year, 'DRAINING'
FROM scheduler.exclusive_keys AS k
JOIN scheduler.claims AS c ON c.claim_token = k.drain_token
JOIN scheduler.jobs AS j ON j.job_id = c.job_id
WHERE k.exclusive_key = ANY(CAST(:keys AS text[])) AND k.drain_token IS NOT NULL
    AND j.state = 'FINISHED'
ORDER BY job_id;
