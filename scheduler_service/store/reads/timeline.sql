-- What happened to some jobs: their own times, and the unusual, also from before they had their
-- pipeline. Of a pipeline that is named all its own events; of a cancelled job without, who
-- cancelled it. Whatever says a claim says its worker, if any event of the claim knows it. The
-- message of an end is quoted, so that nobody takes its words for the result. What ended a job
-- comes before its end, though it is recorded a moment later, at the end of the same transaction.
WITH seen AS (
    SELECT j.* FROM scheduler.jobs AS j WHERE j.job_id = ANY(CAST(:job_ids AS bigint[]))
), recorded AS MATERIALIZED (
    SELECT e.*
    FROM scheduler.job_events AS e
    WHERE e.pipeline_id = CAST(:pipeline_id AS bigint)
        OR (e.job_id = ANY(CAST(:job_ids AS bigint[])) AND e.job_id IS NOT NULL)
    UNION ALL
    SELECT e.*
    FROM seen AS s
    JOIN scheduler.job_events AS e ON e.pipeline_id = s.pipeline_id
    WHERE CAST(:pipeline_id AS bigint) IS NULL AND s.result = 'CANCELLED'
        AND e.job_id IS NULL AND e.event = 'cancelled'
), firsts AS (
    SELECT job_id, min(claim_token) AS claim_token FROM recorded GROUP BY job_id
), cancelled AS (
    SELECT min(finished_at) AS first_at FROM seen WHERE result = 'CANCELLED'
), events AS (
    SELECT created_at AS at, job_id, 'created' AS event, CAST(NULL AS bigint) AS claim_token,
        job_type AS detail, CAST(NULL AS uuid) AS worker_id, 1 AS place,
        CAST(0 AS bigint) AS event_id, created_at AS sorted_at
    FROM seen
    UNION ALL
    -- The first claim. It has ended with an event if it was not the last one, and each later one
    -- began with one.
    SELECT s.started_at, s.job_id, 'started', coalesce(f.claim_token, s.last_token), '', NULL, 2,
        0, s.started_at
    FROM seen AS s
    LEFT JOIN firsts AS f ON f.job_id = s.job_id
    WHERE s.started_at IS NOT NULL
    UNION ALL
    SELECT r.at, r.job_id, r.event, r.claim_token, r.detail, r.worker_id, 3, r.event_id,
        CASE
            WHEN r.job_id IS NULL AND r.event = 'cancelled' THEN least(r.at, c.first_at)
            WHEN s.result = 'ERROR' AND r.claim_token IS NOT NULL AND r.event <> 'repair'
                OR r.event IN ('draining', 'superseded')
                THEN least(r.at, s.finished_at)
            ELSE r.at
        END
    FROM recorded AS r
    LEFT JOIN seen AS s ON s.job_id = r.job_id
    CROSS JOIN cancelled AS c
    UNION ALL
    SELECT finished_at, job_id, 'finished', finished_by_token,
        result || CASE WHEN message = '' THEN '' ELSE ' "' || message || '"' END,
        finished_by_worker_id, 4, 0, finished_at
    FROM seen WHERE finished_at IS NOT NULL
), holders AS (
    SELECT claim_token, worker_id FROM events WHERE worker_id IS NOT NULL
    UNION
    SELECT claim_token, worker_id FROM seen WHERE claim_token IS NOT NULL
)
SELECT e.at, e.job_id, e.event, e.claim_token, e.detail, h.worker_id, count(*) OVER () AS events
FROM events AS e
LEFT JOIN holders AS h ON h.claim_token = e.claim_token
ORDER BY e.sorted_at, e.place, e.event_id, e.job_id
LIMIT CAST(:events_max AS bigint);
