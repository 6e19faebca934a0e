-- See that a row stands for each exclusive key, so that it can be locked.
INSERT INTO scheduler.exclusive_keys (exclusive_key, next_number)
SELECT wanted.exclusive_key, 1
FROM unnest(CAST(:exclusive_keys AS text[])) AS wanted (exclusive_key)
ORDER BY wanted.exclusive_key
ON CONFLICT DO NOTHING;
