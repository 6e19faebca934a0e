-- Jobs of a tenant, newest first, by keyset; of one pipeline: its own and those it joined.
SELECT j.*, j.pipeline_id <> coalesce(CAST(:pipeline_id AS bigint), j.pipeline_id) AS is_joined
FROM scheduler.job_cards AS j
WHERE j.tenant = :tenant
    AND (CAST(:before_id AS bigint) IS NULL OR j.job_id < CAST(:before_id AS bigint))
    AND (CAST(:pipeline_id AS bigint) IS NULL
        OR j.pipeline_id = CAST(:pipeline_id AS bigint)
        OR j.job_id IN (
            SELECT l.job_id FROM scheduler.job_links AS l
            WHERE l.pipeline_id = CAST(:pipeline_id AS bigint) AND l.left_version IS NULL))
    AND (CAST(:states AS text[]) IS NULL OR j.state = ANY(CAST(:states AS text[])))
    AND (CAST(:job_types AS text[]) IS NULL OR j.job_type = ANY(CAST(:job_types AS text[])))
    AND (CAST(:module AS smallint) IS NULL OR j.module = CAST(:module AS smallint))
    AND (CAST(:year AS smallint) IS NULL OR j.year = CAST(:year AS smallint))
ORDER BY j.job_id DESC
LIMIT CAST(:rows_max AS bigint);
