-- What may keep a job from being claimed: its own claim, the other job of its exclusive key whose
-- turn it is, a claim of the key that drains, and how many jobs stand before it in its key and in
-- its type's queue, counted up to :jobs_max.
SELECT scheduler.clock() AS now, own.lease_until,
    f.job_id AS first_job_id, f.job_type AS first_job_type, f.state AS first_state,
    f.worker_id AS first_worker_id, f.run_after AS first_run_after,
    d.job_id AS drain_job_id, d.worker_id AS drain_worker_id, d.lease_until AS drain_until,
    before.worker_id AS last_worker_id,
    waiting.jobs + CAST(coalesce(f.state IN ('QUEUED', 'RUNNING'), false) AS integer)
        AS older_jobs,
    ahead.jobs AS jobs_ahead,
    aside.until AS aside_until, aside.reason AS aside_reason
FROM scheduler.jobs AS j
LEFT JOIN scheduler.claims AS own ON own.claim_token = j.claim_token
LEFT JOIN scheduler.exclusive_keys AS k
    ON k.exclusive_key = j.exclusive_key AND j.state = 'NOT_STARTED'
LEFT JOIN scheduler.jobs AS f ON f.job_id = k.first_job_id AND f.job_id <> j.job_id
LEFT JOIN scheduler.claims AS d ON d.claim_token = k.drain_token
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs
    FROM (
        SELECT FROM scheduler.jobs AS o
        WHERE o.exclusive_key = j.exclusive_key AND o.exclusive_key IS NOT NULL
            AND o.state = 'NOT_STARTED'
            AND (o.key_number, o.job_id) < (j.key_number, j.job_id)
            AND j.state = 'NOT_STARTED'
        LIMIT CAST(:jobs_max AS bigint)
    ) AS older
) AS waiting
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs
    FROM (
        SELECT FROM scheduler.jobs AS q
        WHERE q.job_type = j.job_type AND q.tenant = j.tenant
            AND q.state = 'QUEUED' AND j.state = 'QUEUED'
            AND (q.priority, q.fair_stamp, q.job_id) < (j.priority, j.fair_stamp, j.job_id)
        LIMIT CAST(:jobs_max AS bigint)
    ) AS better
) AS ahead
LEFT JOIN LATERAL (
    SELECT s.until, s.reason
    FROM scheduler.set_asides AS s
    WHERE (s.job_id = j.job_id OR s.item = j.exclusive_key) AND s.until > scheduler.clock()
        AND j.state <> 'FINISHED'
    ORDER BY s.until DESC
    LIMIT 1
) AS aside ON true
-- Who had the claim before the one that holds the job, if one does.
LEFT JOIN LATERAL (
    SELECT e.worker_id
    FROM scheduler.job_events AS e
    WHERE e.job_id = j.job_id AND e.worker_id IS NOT NULL
        AND e.claim_token IS DISTINCT FROM j.claim_token
    ORDER BY e.event_id DESC
    LIMIT 1
) AS before ON true
WHERE j.job_id = :job_id;
