-- A claim of each of these jobs is in doubt: it may have committed. The mark stays.
UPDATE scheduler.jobs AS j
SET in_doubt_token = greatest(coalesce(j.in_doubt_token, 0), n.in_doubt_token)
FROM unnest(CAST(:job_ids AS bigint[]), CAST(:in_doubt_tokens AS bigint[]))
    AS n (job_id, in_doubt_token)
WHERE j.job_id = n.job_id;
