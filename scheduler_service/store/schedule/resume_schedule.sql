-- End the pause of a schedule, which goes on with this tick.
UPDATE scheduler.schedules AS s
SET paused_at = NULL, paused_by = NULL, pause_reason = NULL, next_tick = :next_tick,
    due_at = :due_at
WHERE s.schedule_id = :schedule_id;
