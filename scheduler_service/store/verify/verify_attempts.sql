-- Jobs with more attempts than they may have, or with more than claims that may have cost one.
SELECT j.pipeline_id, j.job_id, 'has used ' || j.attempts || ' of ' || j.attempts_max
    || ' attempts' AS detail
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
WHERE j.attempts > j.attempts_max OR j.attempts < 0
LIMIT CAST(:findings_max AS bigint);
