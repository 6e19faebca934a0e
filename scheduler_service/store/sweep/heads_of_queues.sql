-- The first claimable jobs of each type and tenant, those that run alone included: what a Claim for
-- them may meet. Locks nothing.
SELECT h.job_id
FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
CROSS JOIN unnest(CAST(:tenants AS text[])) AS n (tenant)
CROSS JOIN LATERAL (
    SELECT q.job_id
    FROM scheduler.jobs AS q
    WHERE q.job_type = t.job_type AND q.tenant = n.tenant AND q.state = 'QUEUED'
        AND NOT q.runs_alone
    ORDER BY q.priority, q.fair_stamp, q.job_id
    LIMIT CAST(:heads AS bigint)
) AS h
UNION ALL
SELECT a.job_id
FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
CROSS JOIN unnest(CAST(:tenants AS text[])) AS n (tenant)
CROSS JOIN LATERAL (
    SELECT q.job_id
    FROM scheduler.jobs AS q
    WHERE q.job_type = t.job_type AND q.tenant = n.tenant AND q.state = 'QUEUED'
        AND q.runs_alone
    ORDER BY q.priority, q.fair_stamp, q.job_id
    LIMIT CAST(:heads AS bigint)
) AS a;
