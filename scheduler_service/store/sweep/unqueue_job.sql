-- QUEUED -> NOT_STARTED, for a job that no Claim can take, until its pause is over: the sweep then
-- queues it again. Touches its row only, as a Claim does, and waits for nobody.
UPDATE scheduler.jobs AS j
SET state = 'NOT_STARTED', run_after = s.until
FROM scheduler.set_asides AS s
WHERE s.step = 'claim' AND s.item = CAST(j.job_id AS text)
    AND j.job_id = (
        SELECT q.job_id FROM scheduler.jobs AS q
        WHERE q.job_id = :job_id AND (q.state = 'QUEUED') IS TRUE
        FOR UPDATE SKIP LOCKED
    );
