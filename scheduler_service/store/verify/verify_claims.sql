-- Running jobs that do not hold the claim they name, and jobs of a slot whose claims are not in the
-- order in which the jobs were submitted.
SELECT j.pipeline_id, j.job_id, 'runs under claim ' || j.claim_token || ', which is not its own'
    AS detail
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') IS FALSE
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
LEFT JOIN scheduler.claims AS c ON c.claim_token = j.claim_token
WHERE j.state = 'RUNNING' AND (c.job_id IS DISTINCT FROM j.job_id OR c.draining)
UNION ALL
SELECT j.pipeline_id, j.job_id, 'has claim token ' || j.last_token
    || ' and was submitted before job ' || earlier.job_id
    || ' with claim token ' || earlier.last_token
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
CROSS JOIN LATERAL (
    SELECT p.job_id, p.key_number, p.last_token
    FROM scheduler.jobs AS p
    WHERE p.slot_key = j.slot_key AND p.slot_key IS NOT NULL AND p.last_token < j.last_token
    ORDER BY p.last_token DESC
    LIMIT 1
) AS earlier
WHERE earlier.key_number > j.key_number
LIMIT CAST(:findings_max AS bigint);
