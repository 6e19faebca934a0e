-- Pauses that ended long enough ago.
WITH old AS (
    DELETE FROM scheduler.pauses AS p
    WHERE p.pause_id = ANY(ARRAY(
        SELECT o.pause_id FROM scheduler.pauses AS o
        WHERE o.resumed_at < scheduler.clock()
            - CAST(:kept_seconds AS double precision) * interval '1 second'
        LIMIT CAST(:rows_max AS bigint)
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING p.pause_id
)
SELECT count(*) AS removed FROM old;
