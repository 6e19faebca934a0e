-- How many jobs of some tenants wait, counted up to a bound.
SELECT n.tenant, (
        SELECT count(*) FROM (
            SELECT
            FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
            CROSS JOIN LATERAL (
                SELECT FROM scheduler.jobs AS q
                WHERE q.job_type = t.job_type AND q.tenant = n.tenant AND q.state = 'QUEUED'
                LIMIT CAST(:jobs_max AS bigint)
            ) AS of_type
            LIMIT CAST(:jobs_max AS bigint)
        ) AS queued
    ) + (
        SELECT count(*) FROM (
            SELECT FROM scheduler.jobs AS w
            WHERE w.tenant = n.tenant AND (w.state = 'NOT_STARTED') IS TRUE
            LIMIT CAST(:jobs_max AS bigint)
        ) AS waiting
    ) AS jobs
FROM unnest(CAST(:tenants AS text[])) AS n (tenant);
