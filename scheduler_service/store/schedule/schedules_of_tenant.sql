-- How many schedules a tenant has, and what the time is.
SELECT count(*) AS schedules, scheduler.clock() AS now
FROM scheduler.schedules AS s
WHERE s.tenant = :tenant;
