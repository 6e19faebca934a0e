-- Forget a schedule. Its pipelines stay. No row if there is none.
DELETE FROM scheduler.schedules AS s
WHERE s.tenant = :tenant AND s.name = :name
RETURNING s.schedule_id;
