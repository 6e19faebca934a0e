-- NOT_STARTED -> FINISHED SUPERSEDED: another job of the same coalesce key does the work, and is as
-- urgent as the more urgent of the two.
WITH duplicates AS (
    SELECT j.job_id, j.priority, n.survivor, n.version
    FROM unnest(
        CAST(:job_ids AS bigint[]), CAST(:survivors AS bigint[]), CAST(:versions AS bigint[])
    ) AS n (job_id, survivor, version)
    JOIN scheduler.jobs AS j ON j.job_id = n.job_id
), raised AS (
    UPDATE scheduler.jobs AS j
    SET priority = d.priority
    FROM duplicates AS d
    WHERE j.job_id = d.survivor AND d.priority < j.priority
)
UPDATE scheduler.jobs AS j
SET state = 'FINISHED',
    result = 'SUPERSEDED',
    superseded_by = n.survivor,
    message = 'job ' || n.survivor || ' does this work',
    finished_at = scheduler.clock(),
    changed_version = n.version
FROM duplicates AS n
WHERE j.job_id = n.job_id AND j.state = 'NOT_STARTED';
