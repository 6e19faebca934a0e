-- What happened to a pipeline or to one of its jobs: some jobs' own times, and the unusual.
WITH seen AS (
    SELECT j.* FROM scheduler.jobs AS j
    WHERE j.job_id = ANY(CAST(:job_ids AS bigint[])) AND j.pipeline_id = :pipeline_id
)
SELECT created_at AS at, job_id, 'created' AS event, 0 AS claim_token, job_type AS detail,
    1 AS place
FROM seen
UNION ALL
SELECT started_at, job_id, 'started', last_token, '', 2 FROM seen WHERE started_at IS NOT NULL
UNION ALL
SELECT at, job_id, event, claim_token, detail, 3
FROM scheduler.job_events
WHERE pipeline_id = :pipeline_id
    AND (CAST(:job_id AS bigint) IS NULL OR job_id = CAST(:job_id AS bigint))
UNION ALL
SELECT finished_at, job_id, 'finished', finished_by_token, result || ' ' || message, 4
FROM seen WHERE finished_at IS NOT NULL
ORDER BY at, place, job_id
LIMIT 5000;
