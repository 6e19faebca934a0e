-- A page of the workers that serve one of these tenants. Those that held a claim of the tenants
-- when the first page was read come before the others: later claims, beyond :newest_token, move
-- nobody between two pages. Of a worker that a scheduler of an earlier release has written nobody
-- knows whom it serves.
WITH newest AS (
    SELECT coalesce(
        CAST(:newest_token AS bigint), (SELECT max(claim_token) FROM scheduler.claims), 0
    ) AS claim_token
), holders AS MATERIALIZED (
    SELECT DISTINCT c.worker_id
    FROM scheduler.claims AS c
    JOIN scheduler.jobs AS j ON j.job_id = c.job_id
    WHERE j.tenant = ANY(CAST(:tenants AS text[]))
        AND c.claim_token <= (SELECT claim_token FROM newest)
), known AS (
    SELECT w.*, CAST(h.worker_id IS NULL AS integer) AS is_idle,
        CAST(extract(epoch FROM w.started_at) * 1000000 AS bigint) AS started_us
    FROM scheduler.workers AS w
    LEFT JOIN holders AS h ON h.worker_id = w.worker_id
    WHERE w.tenants IS NULL OR w.tenants && CAST(:tenants AS text[])
)
SELECT k.worker_id, k.build_id, k.host, k.job_types, k.not_ready, k.last_seen_at,
    k.draining OR k.drain_asked_at IS NOT NULL AS draining,
    k.drain_asked_at, k.drain_asked_by, k.drain_reason,
    CAST(extract(epoch FROM scheduler.clock() - k.last_seen_at) AS double precision)
        AS seconds_ago,
    n.claim_token AS newest_token, k.is_idle, k.started_us
FROM known AS k
CROSS JOIN newest AS n
WHERE CAST(:after_worker_id AS text) IS NULL
    OR (k.is_idle, -k.started_us, CAST(k.worker_id AS text))
        > (CAST(:is_idle AS bigint), -CAST(:started_us AS bigint), CAST(:after_worker_id AS text))
ORDER BY k.is_idle, k.started_us DESC, CAST(k.worker_id AS text)
LIMIT CAST(:workers_max AS bigint);
