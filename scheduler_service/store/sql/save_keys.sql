-- Write back exclusive keys that this transaction holds locked.
UPDATE scheduler.exclusive_keys AS k
SET next_number = saved.next_number,
    first_job_id = saved.first_job_id,
    drain_token = saved.drain_token
FROM unnest(
    CAST(:exclusive_keys AS text[]), CAST(:next_numbers AS bigint[]),
    CAST(:first_job_ids AS bigint[]), CAST(:drain_tokens AS bigint[])
) AS saved (exclusive_key, next_number, first_job_id, drain_token)
WHERE k.exclusive_key = saved.exclusive_key;
