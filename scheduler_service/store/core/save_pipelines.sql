-- Write back pipelines that this transaction holds locked: counters, status, one version more; of a
-- pipeline without live jobs one of two statuses, by how its root has ended. With them goes what
-- recalculations and aggregations have seen. Says how pipelines ended, and which of some claims,
-- that are over, have children staged all the same.
WITH saved AS (
    UPDATE scheduler.pipelines AS p
    SET version = n.version,
        live_jobs = n.live_jobs,
        failed_jobs = n.failed_jobs,
        warned_jobs = n.warned_jobs,
        finished_jobs = n.finished_jobs,
        failed_job_id = n.failed_job_id,
        counted_version = n.version,
        root_job_id = n.root_job_id,
        status = CASE
            WHEN n.live_jobs = 0 AND (
                SELECT r.result FROM scheduler.jobs AS r WHERE r.job_id = n.root_job_id
            ) = 'ERROR' THEN n.status_of_failed_root
            ELSE n.status
        END,
        finished_at = CASE WHEN n.live_jobs = 0 THEN scheduler.clock() END
    FROM unnest(
        CAST(:pipeline_ids AS bigint[]), CAST(:versions AS bigint[]), CAST(:live AS integer[]),
        CAST(:failed AS integer[]), CAST(:warned AS integer[]), CAST(:root_job_ids AS bigint[]),
        CAST(:statuses AS text[]), CAST(:statuses_of_failed_root AS text[]),
        CAST(:finished AS integer[]), CAST(:failed_job_ids AS bigint[])
    ) AS n (pipeline_id, version, live_jobs, failed_jobs, warned_jobs, root_job_id, status,
        status_of_failed_root, finished_jobs, failed_job_id)
    WHERE p.pipeline_id = n.pipeline_id
    RETURNING p.pipeline_id, p.status
), types AS (
    INSERT INTO scheduler.type_freshness AS f (
        tenant, data_entry_type, year, changed_token, changed_at, recalc_claim, recalc_end
    )
    SELECT n.tenant, n.data_entry_type, n.year,
        CASE WHEN n.is_changed THEN nextval('scheduler.tokens') ELSE 0 END,
        CASE WHEN n.is_changed THEN scheduler.clock() END,
        coalesce(n.recalc_claim, 0),
        CASE WHEN n.may_be_written THEN nextval('scheduler.tokens') ELSE 0 END
    FROM unnest(
        CAST(:type_tenants AS text[]), CAST(:types AS smallint[]), CAST(:type_years AS smallint[]),
        CAST(:changed AS boolean[]), CAST(:recalc_claims AS bigint[]),
        CAST(:may_be_written AS boolean[])
    ) AS n (tenant, data_entry_type, year, is_changed, recalc_claim, may_be_written)
    ON CONFLICT (tenant, data_entry_type, year) DO UPDATE
        SET changed_token = greatest(f.changed_token, excluded.changed_token),
            changed_at = coalesce(excluded.changed_at, f.changed_at),
            recalc_claim = greatest(f.recalc_claim, excluded.recalc_claim),
            recalc_end = greatest(f.recalc_end, excluded.recalc_end)
), modules AS (
    INSERT INTO scheduler.module_freshness AS f (tenant, module, year, agg_claim, aggregated_at)
    SELECT n.tenant, n.module, n.year, n.agg_claim, scheduler.clock()
    FROM unnest(
        CAST(:module_tenants AS text[]), CAST(:modules AS smallint[]),
        CAST(:module_years AS smallint[]), CAST(:agg_claims AS bigint[])
    ) AS n (tenant, module, year, agg_claim)
    ON CONFLICT (tenant, module, year) DO UPDATE
        SET agg_claim = greatest(f.agg_claim, excluded.agg_claim),
            aggregated_at = excluded.aggregated_at
)
SELECT s.pipeline_id, s.status, CAST(NULL AS bigint) AS parent_job_id
FROM saved AS s WHERE s.status <> 'LIVE'
UNION ALL
SELECT NULL, NULL, n.job_id
FROM unnest(CAST(:job_ids AS bigint[]), CAST(:claim_tokens AS bigint[])) AS n (job_id, claim_token)
-- No join: a plan for it might read all that are staged.
WHERE (
    SELECT true FROM scheduler.staged_children AS c
    WHERE c.parent_job_id = n.job_id AND c.claim_token = n.claim_token
    LIMIT 1
) IS NOT NULL;
