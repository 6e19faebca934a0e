-- Lock exclusive keys in order; the order of jobs behind a key is decided under this lock. Those
-- that are missing are made first: who holds one that exists waits for none that is being made.
-- A key that somebody else is making is left out.
WITH missing AS (
    SELECT n.exclusive_key
    FROM unnest(CAST(:exclusive_keys AS text[])) AS n (exclusive_key)
    -- No join: a plan for it might read all keys.
    WHERE (
        SELECT true FROM scheduler.exclusive_keys AS k WHERE k.exclusive_key = n.exclusive_key
    ) IS NULL
), made AS (
    INSERT INTO scheduler.exclusive_keys (exclusive_key, next_number)
    SELECT m.exclusive_key, 1 FROM missing AS m ORDER BY m.exclusive_key
    ON CONFLICT DO NOTHING
    RETURNING exclusive_key, next_number, first_job_id, drain_token
), locked AS MATERIALIZED (
    SELECT k.exclusive_key, k.next_number, k.first_job_id, k.drain_token
    FROM scheduler.exclusive_keys AS k
    WHERE k.exclusive_key = ANY(CAST(:exclusive_keys AS text[]))
        -- So that they are made before the first one is locked.
        AND (SELECT count(*) FROM made) >= 0
    ORDER BY k.exclusive_key
    FOR UPDATE
)
SELECT exclusive_key, next_number, first_job_id, drain_token FROM locked
UNION ALL
SELECT exclusive_key, next_number, first_job_id, drain_token FROM made;
