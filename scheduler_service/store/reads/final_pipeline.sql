-- A pipeline as people see it, and one digest over its jobs: after its end equal for everybody.
SELECT p.*, (
    SELECT r.started_at FROM scheduler.jobs AS r WHERE r.job_id = p.root_job_id
) AS started_at, (
    SELECT encode(sha256(convert_to(coalesce(string_agg(
        j.job_id || ':' || coalesce(j.result, '') || ':' || coalesce(j.finished_by_token, 0),
        ',' ORDER BY j.job_id), ''), 'UTF8')), 'hex')
    FROM (
        SELECT own.job_id, own.result, own.finished_by_token
        FROM scheduler.jobs AS own
        WHERE own.pipeline_id = CAST(:pipeline_id AS bigint)
        UNION
        SELECT joined.job_id, joined.result, joined.finished_by_token
        FROM scheduler.job_links AS l
        JOIN scheduler.jobs AS joined ON joined.job_id = l.job_id
        WHERE l.pipeline_id = CAST(:pipeline_id AS bigint) AND l.left_version IS NULL
    ) AS j
) AS evidence_digest
FROM scheduler.pipeline_summaries AS p
WHERE p.pipeline_id = CAST(:pipeline_id AS bigint);
