-- Changes with a version that their pipeline has not reached: a watcher would miss them.
SELECT p.pipeline_id, j.job_id, 'changed in version ' || j.changed_version || ' of '
    || p.version AS detail
FROM scheduler.pipelines AS p
JOIN scheduler.jobs AS j
    ON j.pipeline_id = p.pipeline_id AND (j.state = 'FINISHED') = ANY(ARRAY[false, true])
    AND j.changed_version > p.version
    AND j.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
UNION ALL
SELECT p.pipeline_id, l.job_id, 'joined, changed or left in version '
    || greatest(l.joined_version, l.changed_version, l.left_version) || ' of ' || p.version
FROM scheduler.pipelines AS p
JOIN scheduler.job_links AS l
    ON l.pipeline_id = p.pipeline_id
    AND l.job_id + 0 BETWEEN CAST(:first_job_id AS bigint) AND CAST(:last_job_id AS bigint)
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[]))
    AND greatest(l.joined_version, l.changed_version, l.left_version) > p.version
LIMIT CAST(:findings_max AS bigint);
