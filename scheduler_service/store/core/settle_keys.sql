-- Write back exclusive keys that this transaction holds locked. A key that was left passes to its
-- oldest waiting job. NOT_STARTED -> QUEUED, for jobs that are first of their key and due, and for
-- those of no key whose time has come. Who is first of a key is as urgent as the most urgent of
-- those who wait behind it, of the next :heirs_max.
WITH passed AS MATERIALIZED (
    SELECT n.exclusive_key, n.next_number, n.drain_token, n.is_unsettled,
        CASE WHEN n.first_job_id IS NULL AND n.is_unsettled THEN (
            SELECT w.job_id FROM scheduler.jobs AS w
            WHERE w.exclusive_key = n.exclusive_key AND w.state = 'NOT_STARTED'
            ORDER BY w.key_number, w.job_id
            LIMIT 1
        ) ELSE n.first_job_id END AS first_job_id
    FROM unnest(
        CAST(:exclusive_keys AS text[]), CAST(:next_numbers AS bigint[]),
        CAST(:first_job_ids AS bigint[]), CAST(:drain_tokens AS bigint[]),
        CAST(:unsettled AS boolean[])
    ) AS n (exclusive_key, next_number, first_job_id, drain_token, is_unsettled)
), urgent AS MATERIALIZED (
    SELECT p.first_job_id AS job_id, (
            SELECT min(h.priority) FROM (
                SELECT w.priority FROM scheduler.jobs AS w
                WHERE w.exclusive_key = p.exclusive_key AND w.state = 'NOT_STARTED'
                ORDER BY w.key_number, w.job_id
                LIMIT CAST(:heirs_max AS bigint)
            ) AS h
        ) AS priority
    FROM passed AS p
    WHERE p.first_job_id IS NOT NULL
), saved AS (
    UPDATE scheduler.exclusive_keys AS k
    SET next_number = p.next_number,
        first_job_id = p.first_job_id,
        drain_token = p.drain_token
    FROM passed AS p
    WHERE k.exclusive_key = p.exclusive_key
), raised AS (
    UPDATE scheduler.jobs AS j
    SET priority = waiting.priority,
        fair_stamp = waiting.place
            + scheduler.fair_stamp(j.tenant, j.job_type, waiting.priority, NULL)
    FROM (
        SELECT q.job_id, u.priority,
            row_number() OVER (
                PARTITION BY q.tenant, q.job_type, u.priority ORDER BY q.fair_stamp, q.job_id
            ) - 1 AS place
        FROM urgent AS u
        CROSS JOIN LATERAL (
            SELECT f.job_id, f.tenant, f.job_type, f.fair_stamp
            FROM scheduler.jobs AS f
            WHERE f.job_id = u.job_id AND (f.state = 'QUEUED') IS TRUE AND f.priority > u.priority
            -- Who holds it is about to claim it, or to end it.
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS q
    ) AS waiting
    WHERE j.job_id = waiting.job_id
), due AS (
    SELECT r.job_id, (SELECT u.priority FROM urgent AS u WHERE u.job_id = r.job_id) AS priority
    FROM (
        SELECT p.first_job_id AS job_id FROM passed AS p
        WHERE p.is_unsettled AND p.drain_token IS NULL AND p.first_job_id IS NOT NULL
        UNION
        SELECT d.job_id FROM unnest(CAST(:due_job_ids AS bigint[])) AS d (job_id)
    ) AS r
), ready AS (
    -- Each has a stamp of its own: on one stamp all would come before any other tenant.
    SELECT w.job_id, w.priority, w.wanted,
        row_number() OVER (
            PARTITION BY w.tenant, w.job_type, w.priority ORDER BY w.fair_stamp, w.job_id
        ) - 1 AS place
    FROM (
        SELECT d.job_id, n.tenant, n.job_type, n.fair_stamp,
            least(n.priority, d.priority) AS priority,
            CASE WHEN (n.priority > d.priority) IS NOT TRUE THEN n.fair_stamp END AS wanted
        FROM due AS d
        CROSS JOIN LATERAL (
            SELECT f.tenant, f.job_type, f.priority, f.fair_stamp
            FROM scheduler.jobs AS f
            WHERE f.job_id = d.job_id AND f.state = 'NOT_STARTED'
                AND (f.run_after IS NULL OR f.run_after <= scheduler.clock())
            LIMIT 1
        ) AS n
    ) AS w
    ORDER BY w.job_id
)
UPDATE scheduler.jobs AS j
SET state = 'QUEUED',
    run_after = NULL,
    priority = ready.priority,
    fair_stamp = ready.place
        + scheduler.fair_stamp(j.tenant, j.job_type, ready.priority, ready.wanted)
FROM ready
WHERE j.job_id = ready.job_id
    AND j.state = 'NOT_STARTED'
    AND (j.run_after IS NULL OR j.run_after <= scheduler.clock())
RETURNING j.job_type;
