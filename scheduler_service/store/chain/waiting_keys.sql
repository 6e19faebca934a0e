-- What stands under some keys now, unlocked: a waiting duplicate, and whether anything is live.
SELECT n.number,
    (SELECT w.job_id FROM scheduler.jobs AS w
     WHERE w.coalesce_key = n.coalesce_key AND w.state IN ('NOT_STARTED', 'QUEUED')
         AND w.coalesce_key IS NOT NULL) AS duplicate,
    (SELECT k.first_job_id IS NOT NULL FROM scheduler.exclusive_keys AS k
     WHERE k.exclusive_key = n.exclusive_key) AS is_taken
FROM unnest(CAST(:coalesce_keys AS text[]), CAST(:exclusive_keys AS text[]))
    WITH ORDINALITY AS n (coalesce_key, exclusive_key, number)
ORDER BY n.number;
