-- All workers, as one job sees them: whether they serve its tenant and claim its type, and their
-- build if they serve the tenant. Those that stand alike are counted together: of them, how long
-- ago the scheduler has heard of the last.
SELECT CASE WHEN w.serves THEN w.build_id ELSE '' END AS build_id, w.serves, w.claims, w.draining,
    max(w.not_ready) AS not_ready, min(w.seconds_ago) AS seconds_ago, count(*) AS workers
FROM (
    SELECT k.build_id, k.not_ready,
        k.draining OR k.drain_asked_at IS NOT NULL AS draining,
        -- Of a worker that an earlier release has written nobody knows whom it serves.
        k.tenants IS NULL OR CAST(:tenant AS text) = ANY(k.tenants) AS serves,
        CAST(:job_type AS text) = ANY(k.job_types) AS claims,
        CAST(extract(epoch FROM scheduler.clock() - k.last_seen_at) AS double precision)
            AS seconds_ago
    FROM scheduler.workers AS k
) AS w
GROUP BY CASE WHEN w.serves THEN w.build_id ELSE '' END, w.serves, w.claims, w.draining,
    w.not_ready = '', w.seconds_ago > CAST(:lease_seconds AS double precision);
