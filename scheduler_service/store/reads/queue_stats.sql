-- How many claimable and how many running jobs some tenants have of each type, and for how long the
-- oldest claimable one has waited. Of a tenant and type the first :jobs_max claimable ones count.
SELECT c.tenant, c.job_type, CAST(sum(c.claimable) AS bigint) AS claimable,
    CAST(sum(c.running) AS bigint) AS running,
    max(c.waited) AS oldest_seconds
FROM (
    SELECT n.tenant, t.job_type, count(*) AS claimable, 0 AS running,
        CAST(
            extract(epoch FROM scheduler.clock() - min(greatest(q.created_at, q.run_after)))
            AS double precision
        ) AS waited
    FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
    CROSS JOIN unnest(CAST(:tenants AS text[])) AS n (tenant)
    CROSS JOIN LATERAL (
        SELECT j.created_at, j.run_after
        FROM scheduler.jobs AS j
        WHERE j.job_type = t.job_type AND j.tenant = n.tenant AND j.state = 'QUEUED'
        ORDER BY j.priority, j.fair_stamp, j.job_id
        LIMIT CAST(:jobs_max AS bigint)
    ) AS q
    GROUP BY n.tenant, t.job_type
    UNION ALL
    SELECT j.tenant, j.job_type, 0, count(*), 0
    FROM scheduler.claims AS c
    JOIN scheduler.jobs AS j ON j.job_id = c.job_id
    WHERE NOT c.draining AND j.tenant = ANY(CAST(:tenants AS text[]))
    GROUP BY j.tenant, j.job_type
) AS c
GROUP BY c.tenant, c.job_type
ORDER BY c.tenant, c.job_type;
