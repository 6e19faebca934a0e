-- The jobs of Finishes that ended nothing: whose they are, and who has ended them.
SELECT j.job_id, j.tenant, j.result, j.finished_by_token, j.finished_by_worker_id,
    w.principal AS finished_by_principal
FROM scheduler.jobs AS j
LEFT JOIN scheduler.workers AS w ON w.worker_id = j.finished_by_worker_id
WHERE j.job_id = ANY(CAST(:job_ids AS bigint[]));
