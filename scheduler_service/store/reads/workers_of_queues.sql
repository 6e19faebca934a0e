-- How many workers claim each job type in each of these tenants. Those that stand alike are counted
-- together: of them, how long ago the scheduler has heard of the last. Equal workers are counted
-- before their tenants and types are told apart, so that many of them cost no more than one.
SELECT n.tenant, t.job_type, a.draining, max(a.not_ready) AS not_ready,
    min(a.seconds_ago) AS seconds_ago, CAST(sum(a.workers) AS bigint) AS workers
FROM (
    SELECT w.tenants, w.job_types, w.draining, max(w.not_ready) AS not_ready,
        min(w.seconds_ago) AS seconds_ago, w.is_silent, count(*) AS workers
    FROM (
        SELECT k.tenants, k.job_types, k.not_ready,
            k.draining OR k.drain_asked_at IS NOT NULL AS draining,
            s.seconds_ago, s.seconds_ago > CAST(:lease_seconds AS double precision) AS is_silent
        FROM scheduler.workers AS k
        CROSS JOIN LATERAL (
            SELECT CAST(
                extract(epoch FROM scheduler.clock() - k.last_seen_at) AS double precision
            ) AS seconds_ago
        ) AS s
        -- Of a worker that an earlier release has written nobody knows whom it serves.
        WHERE k.tenants IS NULL OR k.tenants && CAST(:tenants AS text[])
    ) AS w
    GROUP BY w.tenants, w.job_types, w.draining, w.not_ready = '', w.is_silent
) AS a
CROSS JOIN LATERAL unnest(a.job_types) AS t (job_type)
JOIN unnest(CAST(:tenants AS text[])) AS n (tenant)
    ON a.tenants IS NULL OR n.tenant = ANY(a.tenants)
GROUP BY n.tenant, t.job_type, a.draining, a.not_ready = '', a.is_silent;
