-- What became of a tick of each schedule, and the tick that is next.
UPDATE scheduler.schedules AS s
SET last_tick = n.tick, last_outcome = n.outcome, last_message = n.message,
    last_pipeline_id = coalesce(n.pipeline_id, s.last_pipeline_id), next_tick = n.next_tick,
    due_at = n.due_at
FROM unnest(
    CAST(:schedule_ids AS bigint[]), CAST(:ticks AS timestamptz[]), CAST(:outcomes AS text[]),
    CAST(:messages AS text[]), CAST(:pipeline_ids AS bigint[]),
    CAST(:next_ticks AS timestamptz[]), CAST(:due_ats AS timestamptz[])
) AS n (schedule_id, tick, outcome, message, pipeline_id, next_tick, due_at)
WHERE s.schedule_id = n.schedule_id;
