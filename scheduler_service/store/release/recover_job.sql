-- RUNNING -> NOT_STARTED: an operator takes the job from its claim, and it has all its attempts
-- again. It stays at the head of its key, which a draining claim keeps taken; without a key it
-- waits for as long as the claim may go on.
UPDATE scheduler.jobs AS j
SET state = 'NOT_STARTED',
    claim_token = NULL,
    worker_id = NULL,
    attempts = 0,
    expiries = j.expiries + CAST(:expiries AS smallint),
    runs_alone = j.runs_alone OR CAST(:expiries AS smallint) > 0,
    message = '',
    run_after = CASE WHEN j.exclusive_key IS NULL THEN CAST(:run_after AS timestamptz) END
WHERE j.job_id = :job_id AND j.state = 'RUNNING';
