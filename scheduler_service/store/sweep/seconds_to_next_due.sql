-- How long until time makes the next thing due: a waiting job's time comes, a lease is over, a
-- schedule ticks. No row where nothing waits. What became due before the last sweep began is not
-- counted: it has had its sweep. What became due since may have missed it, and is below zero.
WITH began AS MATERIALIZED (
    SELECT scheduler.clock() - make_interval(secs => CAST(:since_seconds AS double precision)) AS at
)
SELECT CAST(extract(epoch FROM min(n.at) - scheduler.clock()) AS double precision) AS seconds
FROM (
    (
        SELECT j.run_after AS at
        FROM scheduler.jobs AS j
        WHERE j.state = 'NOT_STARTED' AND j.run_after IS NOT NULL
            AND j.run_after > (SELECT at FROM began)
        ORDER BY j.run_after
        LIMIT 1
    )
    UNION ALL
    (
        SELECT s.due_at
        FROM scheduler.schedules AS s
        WHERE s.paused_at IS NULL AND s.due_at > (SELECT at FROM began)
        ORDER BY s.due_at
        LIMIT 1
    )
    UNION ALL
    SELECT min(c.lease_until)
    FROM scheduler.claims AS c
    WHERE c.lease_until > (SELECT at FROM began)
) AS n
HAVING min(n.at) IS NOT NULL;
