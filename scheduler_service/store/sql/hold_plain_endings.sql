-- Lock the pipelines of jobs whose end moves nothing but a pipeline's counters: no key, no slot,
-- no staged children, no dark claim. The others are left out, and so is who is not the claim's
-- principal. None of this can change while a claim is held, but for the children: they are looked
-- for again after the compare-and-set.
SELECT p.pipeline_id, p.tenant, p.version, p.live_jobs, p.failed_jobs, p.warned_jobs,
    p.root_job_id, p.cancelled_at IS NOT NULL AS cancelled, plain.places
FROM (
    SELECT j.pipeline_id, array_agg(n.place ORDER BY n.place) AS places
    FROM unnest(
        CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[]), CAST(:worker_ids AS uuid[]),
        CAST(:principals AS text[])
    ) WITH ORDINALITY AS n (job_id, claim_token, worker_id, principal, place)
    JOIN scheduler.jobs AS j
        ON j.job_id = n.job_id AND j.claim_token = n.claim_token AND j.worker_id = n.worker_id
    WHERE j.job_type = ANY(CAST(:job_types AS text[]))
        AND j.exclusive_key IS NULL AND j.coalesce_key IS NULL AND j.slot_key IS NULL
        AND j.dark_token IS NULL
        -- No joins: a plan for them might read all claims, and all staged children.
        AND n.principal = (
            SELECT c.principal FROM scheduler.claims AS c WHERE c.claim_token = n.claim_token
        )
        AND (
            SELECT true FROM scheduler.staged_children AS s
            WHERE s.parent_job_id = n.job_id AND s.claim_token = n.claim_token
            LIMIT 1
        ) IS NULL
    GROUP BY j.pipeline_id
) AS plain
JOIN scheduler.pipelines AS p ON p.pipeline_id = plain.pipeline_id
ORDER BY p.pipeline_id
FOR NO KEY UPDATE OF p;
