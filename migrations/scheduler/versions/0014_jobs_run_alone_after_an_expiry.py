"""After an expiry a job runs alone in its worker process: only a job that ran alone is charged."""

from alembic import op

from carbonline.migrations.patiently import run_patiently

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

JOBS = """
ALTER TABLE scheduler.jobs ADD COLUMN IF NOT EXISTS runs_alone boolean NOT NULL DEFAULT false
"""
CLAIMS = """
ALTER TABLE scheduler.claims
    ADD COLUMN IF NOT EXISTS is_alone boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS had_company boolean NOT NULL DEFAULT false
"""
# A Claim that hands out a job to run alone holds this lock of the worker for itself, all others
# share it, and nobody waits for it. The second statement takes its snapshot behind the lock: what
# was committed before is seen.
MAY_HAVE_COMPANY = """
CREATE OR REPLACE FUNCTION scheduler.may_have_company(of_worker uuid)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(hashtextextended(CAST(of_worker AS text), 0)) THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM scheduler.claims AS c WHERE c.worker_id = of_worker AND c.is_alone
    );
END
$$
"""
DROP_MAY_HAVE_COMPANY = "DROP FUNCTION IF EXISTS scheduler.may_have_company(uuid)"
TO_RUN_ALONE = """
CREATE INDEX CONCURRENTLY claimable_jobs_to_run_alone
ON scheduler.jobs (job_type, tenant, priority, fair_stamp, job_id)
WHERE state = 'QUEUED' AND runs_alone
"""
THAT_RUN_ALONE = """
CREATE INDEX CONCURRENTLY claims_that_run_alone ON scheduler.claims (worker_id) WHERE is_alone
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.{}"
# The columns of before in their order; the new one behind them.
SUMMARIES = """
CREATE OR REPLACE VIEW scheduler.job_summaries AS
SELECT j.job_id, j.pipeline_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
    j.reference_kind, j.payload, j.state, j.result, j.message, j.error_cause, j.stats, j.priority,
    j.fair_stamp, j.run_after, j.attempts, j.attempts_max, j.releases, j.expiries, j.claim_token,
    j.last_token, j.worker_id, j.finished_by_token, j.coalesce_key, j.exclusive_key, j.key_number,
    j.slot_key, j.in_doubt_token, j.parent_job_id, j.child_key, j.superseded_by, j.changed_version,
    j.created_at, j.started_at, j.finished_at,
    c.progress_done, c.progress_total, c.progress_phase, c.progress_message, c.progress_at,
    j.slot_key IS NOT NULL AND j.last_token IS NOT NULL AND NOT EXISTS (
        SELECT FROM scheduler.jobs AS newer
        WHERE newer.slot_key = j.slot_key AND newer.last_token > j.last_token
    ) AS is_current{}
FROM scheduler.jobs AS j
LEFT JOIN scheduler.claims AS c ON c.claim_token = j.claim_token
"""


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    op.execute(JOBS)
    op.execute(SUMMARIES.format(",\n    j.runs_alone"))
    op.execute(CLAIMS)
    op.execute(MAY_HAVE_COMPANY)
    run_patiently(
        DROP.format("claimable_jobs_to_run_alone"),
        TO_RUN_ALONE,
        DROP.format("claims_that_run_alone"),
        THAT_RUN_ALONE,
    )


def downgrade() -> None:
    """As before."""
    run_patiently(DROP.format("claimable_jobs_to_run_alone"), DROP.format("claims_that_run_alone"))
    op.execute(DROP_MAY_HAVE_COMPANY)
    op.execute("DROP VIEW scheduler.job_summaries")
    op.execute("ALTER TABLE scheduler.jobs DROP COLUMN IF EXISTS runs_alone")
    op.execute(SUMMARIES.format("").replace("CREATE OR REPLACE", "CREATE", 1))
    op.execute(
        "ALTER TABLE scheduler.claims"
        " DROP COLUMN IF EXISTS is_alone, DROP COLUMN IF EXISTS had_company"
    )
