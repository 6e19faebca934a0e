-- Claims are replayed for an hour.
WITH old AS (
    DELETE FROM scheduler.claim_requests
    WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM scheduler.claim_requests
        WHERE created_at < scheduler.clock() - interval '1 hour'
        ORDER BY created_at
        LIMIT CAST(:rows_max AS bigint)
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING worker_id
)
SELECT count(*) AS removed FROM old;
