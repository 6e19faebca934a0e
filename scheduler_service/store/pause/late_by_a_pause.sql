-- What waits through a pause that is about to end is late from then on: it counts as no earlier
-- than what is next of the rest that its workers claim. Before the pause ends, since a queue that
-- is paused says nothing about who is next: but where nothing else waits, what was claimed while
-- this one was paused, and is paused now, does.
WITH paused AS MATERIALIZED (
    SELECT p.job_type, p.tenant, p.paused_at, scheduler.takers(p.tenant, p.job_type) AS takers
    FROM scheduler.pauses AS p
    WHERE p.job_type = :job_type AND p.resumed_at IS NULL
        AND p.tenant = ANY(CAST(:tenants AS text[]))
), priorities AS MATERIALIZED (
    SELECT CAST(g AS smallint) AS priority FROM generate_series(0, 9) AS g
), heads AS MATERIALIZED (
    SELECT w.job_type, w.tenant, w.paused_at, w.takers, p.priority, h.fair_stamp,
        scheduler.late_by(w.tenant, w.job_type, p.priority) AS late_by
    FROM paused AS w
    CROSS JOIN priorities AS p
    LEFT JOIN LATERAL (
        SELECT j.fair_stamp
        FROM scheduler.jobs AS j
        WHERE j.job_type = w.job_type AND j.tenant = w.tenant AND j.state = 'QUEUED'
            AND j.priority = p.priority
        ORDER BY j.fair_stamp, j.job_id
        LIMIT 1
    ) AS h ON true
), next AS MATERIALIZED (
    -- Once for all tenants of the same workers: thousands may be resumed in one call.
    SELECT d.takers, d.priority, coalesce(
            scheduler.next_stamp(d.takers, :job_type, d.priority),
            scheduler.next_stamp(d.takers, NULL, d.priority)
        ) AS stamp
    FROM (
        SELECT DISTINCT h.takers, h.priority FROM heads AS h WHERE h.fair_stamp IS NOT NULL
    ) AS d
), paused_last AS MATERIALIZED (
    SELECT DISTINCT ON (p.priority) p.priority, l.paused_at,
        h.fair_stamp + scheduler.late_by(l.tenant, l.job_type, p.priority) AS stamp
    FROM (
        SELECT o.job_type, o.tenant, o.paused_at
        FROM scheduler.pauses AS o
        WHERE o.resumed_at IS NULL
        ORDER BY o.paused_at DESC, o.pause_id DESC
        LIMIT CAST(:pauses_max AS bigint)
    ) AS l
    CROSS JOIN priorities AS p
    CROSS JOIN LATERAL (
        SELECT j.fair_stamp
        FROM scheduler.jobs AS j
        WHERE j.job_type = l.job_type AND j.tenant = l.tenant AND j.state = 'QUEUED'
            AND j.priority = p.priority
        ORDER BY j.fair_stamp, j.job_id
        LIMIT 1
    ) AS h
    ORDER BY p.priority, l.paused_at DESC, stamp
), seen AS (
    SELECT h.job_type, h.tenant, h.priority, h.fair_stamp, h.late_by,
        coalesce(n.stamp, CASE WHEN l.paused_at > h.paused_at THEN l.stamp END) AS next_claimed
    FROM heads AS h
    LEFT JOIN next AS n ON n.takers = h.takers AND n.priority = h.priority
    LEFT JOIN paused_last AS l ON l.priority = h.priority
)
INSERT INTO scheduler.late_queues AS l (job_type, tenant, late_by)
SELECT h.job_type, h.tenant,
    array_agg(greatest(h.late_by, h.next_claimed - h.fair_stamp) ORDER BY h.priority)
FROM seen AS h
GROUP BY h.job_type, h.tenant
HAVING bool_or(h.next_claimed > h.fair_stamp + h.late_by)
ORDER BY h.job_type, h.tenant
ON CONFLICT (job_type, tenant) DO UPDATE SET late_by = excluded.late_by;
