-- The next exclusive keys with waiting jobs, by name, from behind one on: from key to key by the
-- index, however many jobs wait behind each.
WITH RECURSIVE waiting AS (
    (
        SELECT j.exclusive_key, CAST(1 AS bigint) AS number
        FROM scheduler.jobs AS j
        WHERE j.state = 'NOT_STARTED' AND j.exclusive_key IS NOT NULL
            AND j.exclusive_key > CAST(:after_key AS text)
        ORDER BY j.exclusive_key
        LIMIT 1
    )
    UNION ALL
    SELECT (
            SELECT j.exclusive_key
            FROM scheduler.jobs AS j
            WHERE j.state = 'NOT_STARTED' AND j.exclusive_key IS NOT NULL
                AND j.exclusive_key > w.exclusive_key
            ORDER BY j.exclusive_key
            LIMIT 1
        ), w.number + 1
    FROM waiting AS w
    WHERE w.exclusive_key IS NOT NULL AND w.number < CAST(:keys_max AS bigint)
)
SELECT w.exclusive_key FROM waiting AS w WHERE w.exclusive_key IS NOT NULL ORDER BY w.number;
