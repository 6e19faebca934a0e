-- Lock exclusive keys in order; the order of jobs behind a key is decided under this lock.
SELECT k.exclusive_key, k.next_number, k.first_job_id, k.drain_token
FROM scheduler.exclusive_keys AS k
WHERE k.exclusive_key = ANY(CAST(:exclusive_keys AS text[]))
ORDER BY k.exclusive_key
FOR UPDATE;
