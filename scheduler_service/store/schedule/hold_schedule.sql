-- A schedule that no other transaction changes until this one ends, and the time.
SELECT s.*, scheduler.clock() AS now
FROM scheduler.schedules AS s
WHERE s.tenant = :tenant AND s.name = :name
FOR UPDATE;
