-- Unusual transitions, for the timeline: expired, released, cancelled, superseded, in doubt.
INSERT INTO scheduler.job_events (tenant, pipeline_id, job_id, claim_token, event, detail, at,
    worker_id)
SELECT n.tenant, n.pipeline_id, n.job_id, n.claim_token, n.event, n.detail, scheduler.clock(),
    n.worker_id
FROM unnest(
    CAST(:tenants AS text[]), CAST(:pipeline_ids AS bigint[]), CAST(:job_ids AS bigint[]),
    CAST(:claim_tokens AS bigint[]), CAST(:events AS text[]), CAST(:details AS text[]),
    CAST(:worker_ids AS uuid[])
) AS n (tenant, pipeline_id, job_id, claim_token, event, detail, worker_id);
