-- Take the first claimable job that runs alone for a worker that holds nothing and is held: best
-- first, skipping what others hold, and what is paused in its tenant. A call that has its record
-- gets nothing here.
WITH flows AS MATERIALIZED (
    SELECT t.job_type, n.tenant, (
            SELECT l.late_by FROM scheduler.late_queues AS l
            WHERE l.job_type = t.job_type AND l.tenant = n.tenant
        ) AS late_by
    FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
    CROSS JOIN unnest(CAST(:tenants AS text[])) AS n (tenant)
    WHERE NOT EXISTS (
        SELECT FROM scheduler.claim_requests AS r
        WHERE r.worker_id = CAST(:worker_id AS uuid) AND r.request_id = CAST(:request_id AS uuid)
    ) AND NOT EXISTS (
        SELECT FROM scheduler.claims AS h WHERE h.worker_id = CAST(:worker_id AS uuid)
    ) AND (
        SELECT true FROM scheduler.pauses AS p
        WHERE p.job_type = t.job_type AND p.tenant = n.tenant AND p.resumed_at IS NULL
    ) IS NULL
), heads AS MATERIALIZED (
    SELECT h.*
    FROM flows AS f
    CROSS JOIN LATERAL (
        SELECT q.job_id, q.priority,
            q.fair_stamp + coalesce(f.late_by[q.priority + 1], 0) AS fair_stamp
        FROM scheduler.jobs AS q
        WHERE q.job_type = f.job_type AND q.tenant = f.tenant AND q.state = 'QUEUED'
            AND q.runs_alone
        ORDER BY q.priority, q.fair_stamp, q.job_id
        LIMIT CAST(:spare_heads AS bigint)
    ) AS h
), picked AS MATERIALIZED (
    SELECT j.job_id, j.has_started, nextval('scheduler.tokens') AS claim_token
    FROM (SELECT * FROM heads ORDER BY priority, fair_stamp, job_id) AS h
    -- One by one, as far as they are needed: what is not taken is not locked.
    CROSS JOIN LATERAL (
        SELECT q.job_id, q.started_at IS NOT NULL AS has_started
        FROM scheduler.jobs AS q
        WHERE q.job_id = h.job_id AND (q.state = 'QUEUED') IS TRUE
        FOR UPDATE SKIP LOCKED
    ) AS j
    LIMIT 1
), claimed AS (
    UPDATE scheduler.jobs AS j
    SET state = 'RUNNING',
        claim_token = p.claim_token,
        last_token = p.claim_token,
        worker_id = CAST(:worker_id AS uuid),
        attempts = j.attempts + 1,
        started_at = coalesce(j.started_at, scheduler.clock())
    FROM picked AS p
    WHERE j.job_id = p.job_id
    RETURNING p.has_started,
        j.job_id, j.pipeline_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
        j.reference_kind, j.payload, j.state, j.result, j.message, j.error_cause, j.stats,
        j.run_after, j.attempts, j.attempts_max, j.priority, j.releases, j.expiries, j.claim_token,
        j.last_token, j.worker_id, j.parent_job_id, j.child_key, j.superseded_by, j.created_at,
        j.started_at, j.finished_at, j.runs_alone
), leased AS (
    INSERT INTO scheduler.claims
        (claim_token, job_id, worker_id, principal, lease_until, is_alone)
    SELECT claim_token, job_id, worker_id, CAST(:principal AS text),
        scheduler.clock() + CAST(:lease_seconds AS double precision) * interval '1 second', true
    FROM claimed
), again AS (
    -- The first claim's time is the job's own.
    INSERT INTO scheduler.job_events
        (tenant, pipeline_id, job_id, claim_token, event, at, worker_id)
    SELECT tenant, pipeline_id, job_id, claim_token, 'started', scheduler.clock(), worker_id
    FROM claimed
    WHERE has_started
), recorded AS (
    INSERT INTO scheduler.claim_requests
        (worker_id, request_id, job_ids, claim_tokens, created_at)
    SELECT worker_id, CAST(:request_id AS uuid), ARRAY[job_id], ARRAY[claim_token],
        scheduler.clock()
    FROM claimed
)
SELECT CAST(1 AS bigint) AS number, job_id, pipeline_id, tenant, job_type, module, data_entry_type,
    year, unit, reference_kind, payload, state, result, message, error_cause, stats, run_after,
    attempts, attempts_max, priority, releases, expiries, claim_token, last_token, worker_id,
    parent_job_id, child_key, superseded_by, created_at, started_at, finished_at, runs_alone
FROM claimed;
