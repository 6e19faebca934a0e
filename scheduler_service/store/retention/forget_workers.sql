-- Workers that nobody has heard of for a day, and that hold nothing.
WITH old AS (
    DELETE FROM scheduler.workers AS w
    WHERE w.worker_id = ANY(ARRAY(
        SELECT o.worker_id FROM scheduler.workers AS o
        WHERE o.last_seen_at < scheduler.clock() - interval '1 day'
            AND NOT EXISTS (SELECT FROM scheduler.claims AS c WHERE c.worker_id = o.worker_id)
        LIMIT CAST(:rows_max AS bigint)
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING w.worker_id
)
SELECT count(*) AS removed FROM old;
