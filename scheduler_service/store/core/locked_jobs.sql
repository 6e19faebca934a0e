-- Of some jobs those whose end would have to wait now: somebody else has locked the job, a pipeline
-- that owns or has joined it, or its key. Waits for nothing. The locks are released with the
-- statement, so this is a hint: it says what to leave out.
WITH wanted AS MATERIALIZED (
    SELECT j.job_id, j.pipeline_id, j.exclusive_key
    FROM scheduler.jobs AS j
    WHERE j.job_id = ANY(CAST(:job_ids AS bigint[]))
), fed AS MATERIALIZED (
    SELECT w.job_id, w.pipeline_id FROM wanted AS w
    UNION
    SELECT l.job_id, l.pipeline_id FROM scheduler.job_links AS l
    WHERE l.job_id = ANY(CAST(:job_ids AS bigint[])) AND l.left_version IS NULL
), pipelines AS MATERIALIZED (
    SELECT p.pipeline_id FROM scheduler.pipelines AS p
    WHERE p.pipeline_id = ANY(ARRAY(SELECT f.pipeline_id FROM fed AS f))
    FOR NO KEY UPDATE SKIP LOCKED
), keys AS MATERIALIZED (
    SELECT k.exclusive_key FROM scheduler.exclusive_keys AS k
    WHERE k.exclusive_key = ANY(ARRAY(SELECT w.exclusive_key FROM wanted AS w))
    FOR UPDATE SKIP LOCKED
), free AS MATERIALIZED (
    SELECT j.job_id FROM scheduler.jobs AS j
    WHERE j.job_id = ANY(CAST(:job_ids AS bigint[]))
    FOR UPDATE SKIP LOCKED
)
SELECT w.job_id
FROM wanted AS w
WHERE w.job_id NOT IN (SELECT f.job_id FROM free AS f)
    OR (
        w.exclusive_key IS NOT NULL
        AND w.exclusive_key NOT IN (SELECT k.exclusive_key FROM keys AS k)
    )
    OR w.job_id IN (
        SELECT f.job_id FROM fed AS f
        WHERE f.pipeline_id NOT IN (SELECT p.pipeline_id FROM pipelines AS p)
    );
