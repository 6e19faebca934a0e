-- Live jobs that nothing moves on: they wait for nothing, or nobody takes them back from a worker
-- whose lease has expired. What the sweep has set aside is known already.
SELECT j.pipeline_id, j.job_id, CASE j.state
        WHEN 'RUNNING' THEN 'its lease expired at ' || c.lease_until || ', and it still runs'
        ELSE 'waits for nothing, and is not queued'
    END AS detail
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') IS FALSE
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
LEFT JOIN scheduler.claims AS c ON c.claim_token = j.claim_token
LEFT JOIN scheduler.exclusive_keys AS k ON k.exclusive_key = j.exclusive_key
WHERE (
        c.lease_until
            < scheduler.clock() - CAST(:patience_seconds AS double precision) * interval '1 second'
        OR (
            j.state = 'NOT_STARTED'
            AND (j.run_after IS NULL OR j.run_after < scheduler.clock()
                - CAST(:patience_seconds AS double precision) * interval '1 second')
            AND (j.exclusive_key IS NULL
                OR (k.first_job_id = j.job_id AND k.drain_token IS NULL))
        )
    )
    AND NOT EXISTS (SELECT FROM scheduler.set_asides AS s WHERE s.job_id = j.job_id)
LIMIT CAST(:findings_max AS bigint);
