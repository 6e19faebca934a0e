-- Of some schedules those whose tick is still due, locked; what another scheduler is at is left to
-- it. Whoever comes behind it finds the next tick, which is not due.
SELECT s.*, scheduler.clock() AS now
FROM scheduler.schedules AS s
WHERE s.schedule_id = ANY(CAST(:schedule_ids AS bigint[])) AND s.paused_at IS NULL
    AND s.due_at <= scheduler.clock()
ORDER BY s.schedule_id
FOR UPDATE SKIP LOCKED;
