-- NOT_STARTED -> FINISHED SUPERSEDED: another job of the same coalesce key does the work.
UPDATE scheduler.jobs AS j
SET state = 'FINISHED',
    result = 'SUPERSEDED',
    superseded_by = n.survivor,
    message = 'job ' || n.survivor || ' does this work',
    finished_at = scheduler.clock(),
    changed_version = n.version
FROM unnest(CAST(:job_ids AS bigint[]), CAST(:survivors AS bigint[]), CAST(:versions AS bigint[]))
    AS n (job_id, survivor, version)
WHERE j.job_id = n.job_id AND j.state = 'NOT_STARTED';
