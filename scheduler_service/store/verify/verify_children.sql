-- Children that were there before their parent's end, or that follow a bad one; and children that
-- are staged under a claim that is over. A repair follows a job that ended in doubt.
SELECT j.pipeline_id, j.job_id, 'was created before the end of its parent, job ' || p.job_id
    AS detail
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
JOIN scheduler.jobs AS p ON p.job_id = j.parent_job_id
WHERE p.finished_at IS NULL OR p.finished_at > j.created_at
UNION ALL
SELECT j.pipeline_id, j.job_id, 'follows job ' || p.job_id || ', which ended with ' || p.result
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
JOIN scheduler.jobs AS p ON p.job_id = j.parent_job_id
WHERE p.pipeline_id = j.pipeline_id AND p.result NOT IN ('SUCCESS', 'WARNING')
UNION ALL
SELECT j.pipeline_id, j.job_id, 'has children staged under claim ' || s.claim_token
    || ', which is over'
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
JOIN scheduler.jobs AS j
    ON j.pipeline_id = n.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
CROSS JOIN LATERAL (
    SELECT c.claim_token
    FROM scheduler.staged_children AS c
    WHERE c.parent_job_id = j.job_id AND c.claim_token IS DISTINCT FROM j.claim_token
    LIMIT 1
) AS s
LIMIT CAST(:findings_max AS bigint);
