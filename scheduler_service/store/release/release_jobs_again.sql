-- RUNNING -> NOT_STARTED: the job keeps its place at the head of its key and waits for its time.
-- From its first expiry on it runs alone.
UPDATE scheduler.jobs AS j
SET state = 'NOT_STARTED',
    claim_token = NULL,
    worker_id = NULL,
    attempts = n.attempts,
    releases = j.releases + n.releases,
    expiries = j.expiries + n.expiries,
    runs_alone = j.runs_alone OR n.expiries > 0,
    message = n.message,
    run_after = CASE WHEN n.delay_seconds > 0
        THEN scheduler.clock() + n.delay_seconds * interval '1 second' END
FROM unnest(
    CAST(:job_ids AS bigint[]), CAST(:attempts AS smallint[]), CAST(:releases AS smallint[]),
    CAST(:expiries AS smallint[]), CAST(:delays AS double precision[]), CAST(:messages AS text[])
) AS n (job_id, attempts, releases, expiries, delay_seconds, message)
WHERE j.job_id = n.job_id AND j.state = 'RUNNING';
