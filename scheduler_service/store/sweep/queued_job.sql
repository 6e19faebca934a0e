-- A job, if it is claimable: by what it is set aside, and its number.
SELECT CAST(j.job_id AS text) AS item, j.job_id
FROM scheduler.jobs AS j
WHERE j.job_id = :job_id AND j.state = 'QUEUED';
