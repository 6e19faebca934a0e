-- Workers that nobody has heard of for a day, and that hold nothing.
DELETE FROM scheduler.workers AS w
WHERE w.last_seen_at < scheduler.clock() - interval '1 day'
    AND NOT EXISTS (SELECT FROM scheduler.claims AS c WHERE c.worker_id = w.worker_id);
