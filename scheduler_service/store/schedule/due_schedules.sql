-- Schedules with a tick that is due, by that time, from behind one on; unlocked. What is set aside
-- is left out.
SELECT CAST(s.schedule_id AS text) AS item, CAST(NULL AS bigint) AS job_id, s.schedule_id, s.due_at
FROM scheduler.schedules AS s
WHERE s.paused_at IS NULL AND s.due_at <= scheduler.clock()
    AND (s.due_at, s.schedule_id) > (
        coalesce(CAST(:after_time AS timestamptz), '-infinity'),
        CAST(:after_schedule_id AS bigint)
    )
    AND (
        SELECT true FROM scheduler.set_asides AS a
        WHERE a.step = 'schedule' AND a.item = CAST(s.schedule_id AS text)
            AND a.until > scheduler.clock()
    ) IS NULL
ORDER BY s.due_at, s.schedule_id
LIMIT CAST(:schedules_max AS bigint);
