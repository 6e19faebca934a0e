-- Claims that do not drain and whose job does not run under them: a second claim of a job, too.
SELECT j.pipeline_id, c.job_id, 'claim ' || c.claim_token || ' is held, and the job is '
    || lower(j.state) || coalesce(' under claim ' || j.claim_token, '') AS detail
FROM scheduler.claims AS c
JOIN scheduler.jobs AS j ON j.job_id = c.job_id
WHERE NOT c.draining AND j.tenant = :tenant AND j.claim_token IS DISTINCT FROM c.claim_token
LIMIT CAST(:findings_max AS bigint);
