-- Which of these pipelines have a slot's current job or last success, or a job that a worker has
-- not let go of; and which ones a live pipeline repairs or retries.
SELECT n.pipeline_id
FROM unnest(CAST(:pipeline_ids AS bigint[])) AS n (pipeline_id)
WHERE (
        SELECT true
        FROM scheduler.jobs AS j
        WHERE j.pipeline_id = n.pipeline_id AND j.last_token IS NOT NULL
            AND (
                (
                    SELECT true FROM scheduler.claims AS c
                    WHERE c.claim_token = j.last_token
                ) IS TRUE
                OR (
                    j.slot_key IS NOT NULL
                    AND (
                        SELECT true FROM scheduler.jobs AS newer
                        WHERE newer.slot_key = j.slot_key AND newer.slot_key IS NOT NULL
                            AND newer.last_token > j.last_token
                        LIMIT 1
                    ) IS NULL
                )
                OR (
                    j.slot_key IS NOT NULL AND j.result IN ('SUCCESS', 'WARNING')
                    AND (
                        SELECT true FROM scheduler.jobs AS newer
                        WHERE newer.slot_key = j.slot_key AND newer.slot_key IS NOT NULL
                            AND newer.last_token > j.last_token
                            AND newer.result IN ('SUCCESS', 'WARNING')
                        LIMIT 1
                    ) IS NULL
                )
            )
        LIMIT 1
    ) IS TRUE
    OR (
        SELECT true FROM scheduler.pipelines AS p
        WHERE coalesce(p.repair_of, p.retry_of) = n.pipeline_id
            AND coalesce(p.repair_of, p.retry_of) IS NOT NULL
            AND p.status = 'LIVE'
        LIMIT 1
    ) IS TRUE;
