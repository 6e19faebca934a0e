-- The sweep for expired claims ran.
INSERT INTO scheduler.sweep_runs (sweep, last_run_at)
VALUES ('expiry', scheduler.clock())
ON CONFLICT (sweep) DO UPDATE SET last_run_at = excluded.last_run_at
RETURNING last_run_at;
