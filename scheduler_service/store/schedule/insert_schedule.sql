-- A new schedule; no row if the tenant has one of this name.
INSERT INTO scheduler.schedules (
    tenant, name, cron, time_zone, job_type, module, data_entry_type, year, unit, reference_kind,
    payload, priority, runs_late, jitter_seconds, created_at, created_by, next_tick, due_at
)
VALUES (
    :tenant, :name, :cron, :time_zone, :job_type, :module, :data_entry_type, :year, :unit,
    :reference_kind, :payload, :priority, :runs_late, :jitter_seconds, scheduler.clock(),
    :created_by, :next_tick, :due_at
)
ON CONFLICT (tenant, name) DO NOTHING
RETURNING schedule_id;
