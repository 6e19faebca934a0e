-- Queues that are empty are late no more: their stamps say all. Who submits to one at this moment
-- may have reckoned with it, and stands a little earlier.
DELETE FROM scheduler.late_queues AS l
WHERE (
    SELECT true FROM scheduler.jobs AS q
    WHERE q.job_type = l.job_type AND q.tenant = l.tenant AND q.state = 'QUEUED'
    LIMIT 1
) IS NULL;
