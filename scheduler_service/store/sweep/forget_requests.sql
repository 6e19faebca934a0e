-- Claims are replayed for an hour.
DELETE FROM scheduler.claim_requests
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM scheduler.claim_requests
    WHERE created_at < scheduler.clock() - interval '1 hour'
    ORDER BY created_at
    LIMIT CAST(:requests_max AS bigint)
));
