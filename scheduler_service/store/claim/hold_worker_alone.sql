-- Keep a worker from every other Claim until the transaction ends; false if one is on its way.
SELECT pg_try_advisory_xact_lock(hashtextextended(CAST(CAST(:worker_id AS uuid) AS text), 0))
    AS is_held;
