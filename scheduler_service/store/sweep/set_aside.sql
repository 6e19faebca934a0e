-- Set aside what a sweep failed at, each time for twice as long as before.
INSERT INTO scheduler.set_asides AS s (step, item, job_id, failures, until, reason)
SELECT CAST(:step AS text), n.item, n.job_id, 1,
    scheduler.clock() + CAST(:first_seconds AS double precision) * interval '1 second', n.reason
FROM unnest(CAST(:items AS text[]), CAST(:job_ids AS bigint[]), CAST(:reasons AS text[]))
    AS n (item, job_id, reason)
ORDER BY n.item
ON CONFLICT (step, item) DO UPDATE
    SET failures = s.failures + 1,
        until = scheduler.clock() + interval '1 second' * least(
            CAST(:first_seconds AS double precision) * 2.0 ^ least(s.failures, 30),
            CAST(:longest_seconds AS double precision)
        ),
        reason = excluded.reason
RETURNING item, job_id, failures, reason,
    CAST(extract(epoch FROM until - scheduler.clock()) AS double precision) AS seconds;
