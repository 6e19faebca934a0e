-- One job as people see it.
SELECT * FROM scheduler.job_summaries
WHERE job_id = :job_id;
