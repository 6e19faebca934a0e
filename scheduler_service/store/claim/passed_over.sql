-- Claimable jobs of some types and tenants that somebody holds locked at this moment, so that a
-- Claim passes over them: of each type and tenant among the first. Locks nothing, because a look
-- that did would be in the way itself. A row that several transactions share is not seen.
SELECT h.job_id
FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
CROSS JOIN unnest(CAST(:tenants AS text[])) AS n (tenant)
CROSS JOIN LATERAL (
    SELECT q.job_id, q.xmax AS holder
    FROM scheduler.jobs AS q
    WHERE q.job_type = t.job_type AND q.tenant = n.tenant AND q.state = 'QUEUED'
    ORDER BY q.priority, q.fair_stamp, q.job_id
    LIMIT CAST(:heads_max AS bigint)
) AS h
JOIN pg_catalog.pg_locks AS l
    ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = h.holder
        AND l.mode = 'ExclusiveLock'
ORDER BY h.job_id;
