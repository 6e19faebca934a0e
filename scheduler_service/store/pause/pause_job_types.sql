-- Pause a job type in some tenants. Where it is paused already, that pause stands and is answered:
-- the no-op update waits for whoever is about to end it.
INSERT INTO scheduler.pauses AS p (tenant, job_type, paused_at, paused_by, reason)
SELECT n.tenant, :job_type, scheduler.clock(), :paused_by, :reason
FROM unnest(CAST(:tenants AS text[])) AS n (tenant)
ORDER BY n.tenant
ON CONFLICT (job_type, tenant) WHERE resumed_at IS NULL DO UPDATE SET reason = p.reason
RETURNING p.tenant, p.job_type, p.paused_at, p.paused_by, p.reason, p.resumed_at, p.resumed_by;
