-- Take claimable jobs of some types and tenants for calls that ask alike: best first, the first
-- call first, skipping what others hold, and what is paused in its tenant. Reads the head of the
-- queue of each type and tenant, and nothing of other tenants. One statement: each decision is read
-- from the locked row itself. Touches job rows only, the claims' own rows, and the records by which
-- repeats of these calls are known; a call that has its record gets nothing here.
WITH asked AS (
    SELECT w.*, sum(w.max_jobs) OVER (ORDER BY w.number) AS last_place
    FROM unnest(
        CAST(:worker_ids AS uuid[]), CAST(:request_ids AS uuid[]), CAST(:principals AS text[]),
        CAST(:max_jobs AS bigint[])
    ) WITH ORDINALITY AS w (worker_id, request_id, principal, max_jobs, number)
    WHERE NOT EXISTS (
        SELECT FROM scheduler.claim_requests AS r
        WHERE r.worker_id = w.worker_id AND r.request_id = w.request_id
    )
), wanted AS MATERIALIZED (
    SELECT t.job_type, ARRAY(
        SELECT p.tenant FROM scheduler.pauses AS p
        WHERE p.job_type = t.job_type AND p.resumed_at IS NULL
    ) AS paused_tenants
    FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
), flows AS MATERIALIZED (
    SELECT w.job_type, n.tenant
    FROM wanted AS w
    JOIN unnest(CAST(:tenants AS text[])) AS n (tenant) ON n.tenant <> ALL(w.paused_tenants)
), heads AS MATERIALIZED (
    SELECT h.*
    FROM flows AS f
    CROSS JOIN LATERAL (
        SELECT q.job_id, q.priority, q.fair_stamp
        FROM scheduler.jobs AS q
        WHERE q.job_type = f.job_type AND q.tenant = f.tenant AND q.state = 'QUEUED'
        ORDER BY q.priority, q.fair_stamp, q.job_id
        -- Others may hold as many and more, and are passed over.
        LIMIT (SELECT 2 * max(last_place) + CAST(:spare_heads AS bigint) FROM asked)
    ) AS h
    WHERE EXISTS (SELECT FROM asked)
), candidates AS (
    SELECT c.job_id, c.answer_bytes,
        row_number() OVER (ORDER BY c.priority, c.fair_stamp, c.job_id) AS place
    FROM (
        SELECT j.job_id, h.priority, h.fair_stamp, j.answer_bytes
        FROM (SELECT * FROM heads ORDER BY priority, fair_stamp, job_id) AS h
        -- One by one, as far as they are needed: what is not taken is not locked.
        CROSS JOIN LATERAL (
            SELECT q.job_id,
                coalesce(octet_length(CAST(q.payload AS text)), 0) + octet_length(q.message)
                    AS answer_bytes
            FROM scheduler.jobs AS q
            WHERE q.job_id = h.job_id AND (q.state = 'QUEUED') IS TRUE
            FOR UPDATE SKIP LOCKED
        ) AS j
        LIMIT (SELECT coalesce(max(last_place), 0) FROM asked)
    ) AS c
), picked AS MATERIALIZED (
    SELECT p.*, nextval('scheduler.tokens') AS claim_token
    FROM (
        SELECT c.job_id, c.place, a.number, a.worker_id, a.request_id, a.principal,
            sum(c.answer_bytes) OVER (PARTITION BY a.number ORDER BY c.place) - c.answer_bytes
                AS bytes_before
        FROM candidates AS c
        JOIN asked AS a
            ON c.place > a.last_place - a.max_jobs AND c.place <= a.last_place
    ) AS p
    WHERE p.bytes_before < CAST(:answer_bytes_max AS bigint)
    ORDER BY p.place
    -- Cuts nothing off, but the planner would expect many more and read the whole table.
    LIMIT (SELECT coalesce(max(last_place), 0) FROM asked)
), claimed AS (
    UPDATE scheduler.jobs AS j
    SET state = 'RUNNING',
        claim_token = p.claim_token,
        last_token = p.claim_token,
        worker_id = p.worker_id,
        attempts = j.attempts + 1,
        started_at = coalesce(j.started_at, scheduler.clock())
    FROM picked AS p
    WHERE j.job_id = p.job_id
    RETURNING p.number, p.place, p.request_id, p.principal, j.job_id, j.pipeline_id, j.tenant,
        j.job_type, j.module, j.data_entry_type, j.year, j.unit, j.reference_kind, j.payload,
        j.state, j.result, j.message, j.error_cause, j.stats, j.run_after, j.attempts,
        j.attempts_max, j.releases, j.expiries, j.claim_token, j.last_token, j.worker_id,
        j.parent_job_id, j.child_key, j.superseded_by, j.created_at, j.started_at, j.finished_at
), leased AS (
    INSERT INTO scheduler.claims (claim_token, job_id, worker_id, principal, lease_until)
    SELECT claim_token, job_id, worker_id, principal,
        scheduler.clock() + CAST(:lease_seconds AS double precision) * interval '1 second'
    FROM claimed
), recorded AS (
    INSERT INTO scheduler.claim_requests
        (worker_id, request_id, job_ids, claim_tokens, created_at)
    SELECT worker_id, request_id, array_agg(job_id), array_agg(claim_token), scheduler.clock()
    FROM claimed
    -- One request of two principals is none of this table's: it fails, and the second is asked
    -- again alone.
    GROUP BY worker_id, request_id, principal
)
SELECT number, job_id, pipeline_id, tenant, job_type, module, data_entry_type, year, unit,
    reference_kind, payload, state, result, message, error_cause, stats, run_after, attempts,
    attempts_max, releases, expiries, claim_token, last_token, worker_id, parent_job_id, child_key,
    superseded_by, created_at, started_at, finished_at
FROM claimed
ORDER BY place;
