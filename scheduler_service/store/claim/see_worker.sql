-- A worker gave a sign of life. Who holds its row, such as one who drains it, holds up no Claim:
-- the next sign is written. If it is new, or was silent, what waited because no worker claimed it
-- is late from now on: it counts as no earlier than what is next of the rest that this one claims.
-- One statement, so that of two newcomers at once each does not take the other for a worker that
-- was there.
WITH free AS (
    SELECT worker_id, last_seen_at
    FROM scheduler.workers
    WHERE worker_id = :worker_id AND principal = :principal
        AND (tenants IS NULL OR tenants && CAST(:tenants AS text[]))
    FOR NO KEY UPDATE SKIP LOCKED
), seen AS (
    UPDATE scheduler.workers AS w
    SET last_seen_at = scheduler.clock(),
        job_types = CAST(:job_types AS text[]),
        tenants = CAST(:tenants AS text[])
    FROM free
    WHERE w.worker_id = free.worker_id
), new AS (
    INSERT INTO scheduler.workers
        (worker_id, principal, tenants, build_id, host, job_types, draining, started_at,
            last_seen_at)
    SELECT :worker_id, :principal, CAST(:tenants AS text[]), :build_id, :host,
        CAST(:job_types AS text[]), false, scheduler.clock(), scheduler.clock()
    WHERE NOT EXISTS (SELECT FROM scheduler.workers AS k WHERE k.worker_id = :worker_id)
    ON CONFLICT (worker_id) DO NOTHING
    RETURNING job_types, tenants
), newcomer AS (
    SELECT n.job_types, n.tenants FROM new AS n
    UNION ALL
    SELECT CAST(:job_types AS text[]), CAST(:tenants AS text[])
    FROM free AS f
    -- As long as it takes for nobody to count on it.
    WHERE f.last_seen_at <= scheduler.clock() - interval '5 minutes'
), queues AS MATERIALIZED (
    SELECT t.job_type, n.tenant, EXISTS (
            SELECT FROM scheduler.workers AS k
            WHERE k.last_seen_at > scheduler.clock() - interval '5 minutes'
                AND NOT k.draining AND k.drain_asked_at IS NULL AND k.not_ready = ''
                AND t.job_type = ANY(k.job_types)
                AND (k.tenants IS NULL OR n.tenant = ANY(k.tenants))
        ) AS was_claimed
    FROM newcomer AS c
    CROSS JOIN LATERAL unnest(c.job_types) AS t (job_type)
    CROSS JOIN LATERAL unnest(c.tenants) AS n (tenant)
    WHERE (
        SELECT true FROM scheduler.jobs AS q
        WHERE q.job_type = t.job_type AND q.tenant = n.tenant AND q.state = 'QUEUED'
        LIMIT 1
    ) AND (
        SELECT true FROM scheduler.pauses AS p
        WHERE p.job_type = t.job_type AND p.tenant = n.tenant AND p.resumed_at IS NULL
    ) IS NULL
), heads AS MATERIALIZED (
    SELECT q.job_type, q.tenant, q.was_claimed, p.priority, h.fair_stamp,
        scheduler.late_by(q.tenant, q.job_type, p.priority) AS late_by
    FROM queues AS q
    CROSS JOIN (
        SELECT CAST(g AS smallint) AS priority FROM generate_series(0, 9) AS g
    ) AS p
    LEFT JOIN LATERAL (
        SELECT j.fair_stamp
        FROM scheduler.jobs AS j
        WHERE j.job_type = q.job_type AND j.tenant = q.tenant AND j.state = 'QUEUED'
            AND j.priority = p.priority
        ORDER BY j.fair_stamp, j.job_id
        LIMIT 1
    ) AS h ON true
), next AS MATERIALIZED (
    SELECT h.priority, min(h.fair_stamp + h.late_by) AS stamp
    FROM heads AS h
    WHERE h.was_claimed
    GROUP BY h.priority
)
INSERT INTO scheduler.late_queues AS l (job_type, tenant, late_by)
SELECT h.job_type, h.tenant,
    array_agg(greatest(h.late_by, n.stamp - h.fair_stamp) ORDER BY h.priority)
FROM heads AS h
LEFT JOIN next AS n ON n.priority = h.priority
WHERE NOT h.was_claimed
GROUP BY h.job_type, h.tenant
HAVING bool_or(n.stamp > h.fair_stamp + h.late_by)
    -- Who writes such rows at this moment does it for all.
    AND pg_try_advisory_xact_lock(hashtextextended('scheduler.late_queues', 0))
ORDER BY h.job_type, h.tenant
ON CONFLICT (job_type, tenant) DO UPDATE SET late_by = excluded.late_by;
