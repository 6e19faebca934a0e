-- A claim of each of these jobs may have committed unseen. The mark stays.
UPDATE scheduler.jobs AS j
SET dark_token = greatest(coalesce(j.dark_token, 0), n.dark_token)
FROM unnest(CAST(:job_ids AS bigint[]), CAST(:dark_tokens AS bigint[])) AS n (job_id, dark_token)
WHERE j.job_id = n.job_id;
