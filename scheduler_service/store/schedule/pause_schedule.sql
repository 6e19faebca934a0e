-- Pause a schedule, once: who asks again gets the first answer. No row if there is none.
UPDATE scheduler.schedules AS s
SET paused_at = coalesce(s.paused_at, scheduler.clock()),
    paused_by = coalesce(s.paused_by, :paused_by),
    pause_reason = coalesce(s.pause_reason, :reason)
WHERE s.tenant = :tenant AND s.name = :name
RETURNING s.schedule_id;
