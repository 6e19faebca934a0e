-- What waits through a pause that is about to end is late from then on: it counts as no earlier
-- than what is next of the rest that its workers claim. Before the pause ends, since a queue that
-- is paused says nothing about who is next.
WITH paused AS MATERIALIZED (
    SELECT p.job_type, p.tenant, scheduler.takers(p.tenant, p.job_type) AS takers
    FROM scheduler.pauses AS p
    WHERE p.job_type = :job_type AND p.resumed_at IS NULL
        AND p.tenant = ANY(CAST(:tenants AS text[]))
), heads AS MATERIALIZED (
    SELECT w.job_type, w.tenant, p.priority, h.fair_stamp,
        scheduler.late_by(w.tenant, w.job_type, p.priority) AS late_by,
        CASE WHEN h.fair_stamp IS NOT NULL THEN coalesce(
            scheduler.next_stamp(w.takers, w.job_type, p.priority),
            scheduler.next_stamp(w.takers, NULL, p.priority)
        ) END AS next_claimed
    FROM paused AS w
    CROSS JOIN (
        SELECT CAST(g AS smallint) AS priority FROM generate_series(0, 9) AS g
    ) AS p
    LEFT JOIN LATERAL (
        SELECT j.fair_stamp
        FROM scheduler.jobs AS j
        WHERE j.job_type = w.job_type AND j.tenant = w.tenant AND j.state = 'QUEUED'
            AND j.priority = p.priority
        ORDER BY j.fair_stamp, j.job_id
        LIMIT 1
    ) AS h ON true
    -- Where nobody claims it, it goes on waiting: its first worker makes it late.
    WHERE cardinality(w.takers) > 0
)
INSERT INTO scheduler.late_queues AS l (job_type, tenant, late_by)
SELECT h.job_type, h.tenant,
    array_agg(greatest(h.late_by, h.next_claimed - h.fair_stamp) ORDER BY h.priority)
FROM heads AS h
GROUP BY h.job_type, h.tenant
HAVING bool_or(h.next_claimed > h.fair_stamp + h.late_by)
ORDER BY h.job_type, h.tenant
ON CONFLICT (job_type, tenant) DO UPDATE SET late_by = excluded.late_by;
