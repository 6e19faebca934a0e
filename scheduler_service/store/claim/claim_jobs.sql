-- Take claimable jobs of some types and tenants for calls that ask alike: best first, the first
-- call first, skipping what others hold, and what is paused in its tenant. Reads the head of the
-- queue of each type and tenant, and nothing of other tenants: stamps of a queue that is late count
-- as so much later. One statement: each decision is read from the locked row itself. Touches job
-- rows only, the claims' own rows, and the records by which repeats of these calls are known; of
-- jobs that start again it writes down when.
-- A call that has its record, or whose worker is to drain, is held off: it gets nothing here. It is
-- named, because replay_claims knows more of it.
-- Jobs that run alone are passed over. If one is next, a worker makes room: it gets nothing until
-- it holds nothing, and then that job by claim_alone. An idle worker does, or else a busy one.
-- A worker that holds a job that runs alone gets nothing, nor does one that is to drain.
WITH asking AS MATERIALIZED (
    SELECT w.*,
        (
            SELECT true FROM scheduler.claim_requests AS r
            WHERE r.worker_id = w.worker_id AND r.request_id = w.request_id
            LIMIT 1
        ) IS TRUE OR (
            SELECT true FROM scheduler.workers AS d
            WHERE d.worker_id = w.worker_id AND d.principal = w.principal
                AND d.drain_asked_at IS NOT NULL
            LIMIT 1
        ) IS TRUE AS is_held_off
    FROM unnest(
        CAST(:worker_ids AS uuid[]), CAST(:request_ids AS uuid[]), CAST(:principals AS text[]),
        CAST(:max_jobs AS bigint[])
    ) WITH ORDINALITY AS w (worker_id, request_id, principal, max_jobs, number)
), calls AS MATERIALIZED (
    SELECT a.*, scheduler.may_have_company(a.worker_id) AS may_have_company
    FROM asking AS a
    WHERE NOT a.is_held_off
), wanted AS MATERIALIZED (
    SELECT t.job_type, ARRAY(
        SELECT p.tenant FROM scheduler.pauses AS p
        WHERE p.job_type = t.job_type AND p.resumed_at IS NULL
    ) AS paused_tenants
    FROM unnest(CAST(:job_types AS text[])) AS t (job_type)
), flows AS MATERIALIZED (
    SELECT w.job_type, n.tenant,
        -- Nearly always there is none at all, and nothing else is read.
        CASE WHEN (SELECT true FROM scheduler.late_queues LIMIT 1) THEN (
            SELECT l.late_by FROM scheduler.late_queues AS l
            WHERE l.job_type = w.job_type AND l.tenant = n.tenant
        ) END AS late_by
    FROM wanted AS w
    JOIN unnest(CAST(:tenants AS text[])) AS n (tenant) ON n.tenant <> ALL(w.paused_tenants)
), heads AS MATERIALIZED (
    SELECT h.*
    FROM flows AS f
    CROSS JOIN LATERAL (
        SELECT q.job_id, q.priority,
            q.fair_stamp + coalesce(f.late_by[q.priority + 1], 0) AS fair_stamp
        FROM scheduler.jobs AS q
        WHERE q.job_type = f.job_type AND q.tenant = f.tenant AND q.state = 'QUEUED'
            AND NOT q.runs_alone
        ORDER BY q.priority, q.fair_stamp, q.job_id
        -- Others may hold as many and more, and are passed over.
        LIMIT (SELECT 2 * sum(max_jobs) + CAST(:spare_heads AS bigint) FROM calls)
    ) AS h
    WHERE EXISTS (SELECT FROM calls)
), to_run_alone AS MATERIALIZED (
    SELECT h.*
    FROM flows AS f
    CROSS JOIN LATERAL (
        SELECT q.job_id, q.job_type, q.tenant, q.priority,
            q.fair_stamp + coalesce(f.late_by[q.priority + 1], 0) AS fair_stamp
        FROM scheduler.jobs AS q
        WHERE q.job_type = f.job_type AND q.tenant = f.tenant AND q.state = 'QUEUED'
            AND q.runs_alone
        ORDER BY q.priority, q.fair_stamp, q.job_id
        LIMIT 1
    ) AS h
    -- Nearly always there is none at all, and nothing else is read.
    WHERE (
        SELECT true FROM scheduler.jobs AS a WHERE a.state = 'QUEUED' AND a.runs_alone LIMIT 1
    )
    ORDER BY h.priority, h.fair_stamp, h.job_id
    LIMIT 1
), next_alone AS MATERIALIZED (
    SELECT a.* FROM to_run_alone AS a
    WHERE NOT EXISTS (
        SELECT FROM heads AS h
        WHERE (h.priority, h.fair_stamp, h.job_id) < (a.priority, a.fair_stamp, a.job_id)
    )
), making_room AS MATERIALIZED (
    SELECT c.worker_id, CAST(min(c.number) AS bigint) AS number
    FROM next_alone AS a
    CROSS JOIN calls AS c
    CROSS JOIN LATERAL (
        SELECT NOT EXISTS (
            SELECT FROM scheduler.claims AS h WHERE h.worker_id = c.worker_id
        ) AS is_idle
    ) AS w
    WHERE c.may_have_company AND (w.is_idle OR c.worker_id = (
        -- Of the busy ones always the same, so that its jobs run out while the others go on.
        SELECT k.worker_id FROM scheduler.workers AS k
        WHERE k.last_seen_at > scheduler.clock()
                - CAST(:lease_seconds AS double precision) * interval '1 second'
            AND NOT k.draining AND k.drain_asked_at IS NULL
            AND k.not_ready = '' AND a.job_type = ANY(k.job_types)
            AND (k.tenants IS NULL OR a.tenant = ANY(k.tenants))
        ORDER BY md5(CAST(k.worker_id AS text) || CAST(a.job_id AS text))
        LIMIT 1
    ))
    GROUP BY c.worker_id, w.is_idle
    ORDER BY w.is_idle DESC, number
    LIMIT 1
), asked AS (
    SELECT c.*, sum(c.max_jobs) OVER (ORDER BY c.number) AS last_place
    FROM calls AS c
    WHERE c.may_have_company AND c.worker_id NOT IN (SELECT m.worker_id FROM making_room AS m)
), candidates AS (
    SELECT c.job_id, c.answer_bytes, c.has_started,
        row_number() OVER (ORDER BY c.priority, c.fair_stamp, c.job_id) AS place
    FROM (
        SELECT j.job_id, h.priority, h.fair_stamp, j.answer_bytes, j.has_started
        FROM (SELECT * FROM heads ORDER BY priority, fair_stamp, job_id) AS h
        -- One by one, as far as they are needed: what is not taken is not locked.
        CROSS JOIN LATERAL (
            SELECT q.job_id, q.started_at IS NOT NULL AS has_started,
                coalesce(octet_length(CAST(q.payload AS text)), 0) + octet_length(q.message)
                    AS answer_bytes
            FROM scheduler.jobs AS q
            WHERE q.job_id = h.job_id AND (q.state = 'QUEUED') IS TRUE AND NOT q.runs_alone
            FOR UPDATE SKIP LOCKED
        ) AS j
        LIMIT (SELECT coalesce(max(last_place), 0) FROM asked)
    ) AS c
), picked AS MATERIALIZED (
    SELECT p.*, nextval('scheduler.tokens') AS claim_token
    FROM (
        SELECT c.job_id, c.has_started, c.place, a.number, a.worker_id, a.request_id, a.principal,
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
    RETURNING p.number, p.place, p.request_id, p.principal, p.has_started,
        j.job_id, j.pipeline_id, j.tenant,
        j.job_type, j.module, j.data_entry_type, j.year, j.unit, j.reference_kind, j.payload,
        j.state, j.result, j.message, j.error_cause, j.stats, j.run_after, j.attempts,
        j.attempts_max, j.priority, j.releases, j.expiries, j.claim_token, j.last_token,
        j.worker_id, j.parent_job_id, j.child_key, j.superseded_by, j.created_at, j.started_at,
        j.finished_at, j.runs_alone
), leased AS (
    INSERT INTO scheduler.claims (claim_token, job_id, worker_id, principal, lease_until)
    SELECT claim_token, job_id, worker_id, principal,
        scheduler.clock() + CAST(:lease_seconds AS double precision) * interval '1 second'
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
    SELECT worker_id, request_id, array_agg(job_id), array_agg(claim_token), scheduler.clock()
    FROM claimed
    -- One request of two principals is none of this table's: it fails, and the second is asked
    -- again alone.
    GROUP BY worker_id, request_id, principal
), doubts AS MATERIALIZED (
    -- The function sees what was committed before these jobs were taken, not what was when this
    -- statement began.
    SELECT t.tenant, scheduler.has_doubts(t.tenant) AS has_doubts
    FROM (SELECT DISTINCT c.tenant FROM claimed AS c) AS t
), remaining AS MATERIALIZED (
    SELECT (SELECT count(*) FROM heads) > (SELECT count(*) FROM picked)
        OR EXISTS (SELECT FROM to_run_alone) AS leaves_some
), empty_handed AS (
    SELECT m.number, true AS makes_room FROM making_room AS m
    UNION ALL
    SELECT a.number, false FROM asking AS a WHERE a.is_held_off
)
SELECT coalesce(c.number, e.number) AS number, e.makes_room IS TRUE AS makes_room,
    e.makes_room IS FALSE AS is_held_off, d.has_doubts IS TRUE AS has_doubts, r.leaves_some,
    c.job_id,
    c.pipeline_id, c.tenant, c.job_type, c.module, c.data_entry_type, c.year, c.unit,
    c.reference_kind, c.payload, c.state, c.result, c.message, c.error_cause, c.stats, c.run_after,
    c.attempts, c.attempts_max, c.priority, c.releases, c.expiries, c.claim_token, c.last_token,
    c.worker_id, c.parent_job_id, c.child_key, c.superseded_by, c.created_at, c.started_at,
    c.finished_at, c.runs_alone
FROM claimed AS c
JOIN doubts AS d ON d.tenant = c.tenant
-- Who makes room or is held off has claimed nothing.
FULL JOIN empty_handed AS e ON e.number = c.number
CROSS JOIN remaining AS r
ORDER BY c.place;
