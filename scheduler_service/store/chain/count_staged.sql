-- How many children a claim has staged.
SELECT count(*) AS staged
FROM scheduler.staged_children
WHERE parent_job_id = :parent_job_id AND claim_token = :claim_token;
