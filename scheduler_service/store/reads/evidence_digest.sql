-- One digest over a pipeline's jobs: equal for everybody who asks after its end.
SELECT encode(sha256(convert_to(coalesce(string_agg(
    j.job_id || ':' || coalesce(j.result, '') || ':' || coalesce(j.finished_by_token, 0),
    ',' ORDER BY j.job_id), ''), 'UTF8')), 'hex') AS digest
FROM (
    SELECT job_id, result, finished_by_token
    FROM scheduler.jobs WHERE pipeline_id = :pipeline_id
    UNION
    SELECT j.job_id, j.result, j.finished_by_token
    FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
    WHERE l.pipeline_id = :pipeline_id AND l.left_version IS NULL
) AS j;
