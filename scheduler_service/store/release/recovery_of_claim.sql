-- Whether an operator took a job from a claim.
SELECT true AS is_recovered
FROM scheduler.job_events
WHERE job_id = CAST(:job_id AS bigint) AND job_id IS NOT NULL
    AND claim_token = :claim_token AND event = 'recovered'
LIMIT 1;
