"""Tenants share the workers by what is queued, and a claim reads its own tenants' queues only."""

from alembic import op

from carbonline.migrations.patiently import run_patiently

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Start-time fair queueing. A job stands behind the last one of its tenant, type and priority, and
# never before the job that is claimed next: whoever was idle has saved nothing up. `wanted` is an
# earlier stamp of the same job, which it keeps if it can. Of more than a hundred tenants, the first
# hundred say who is next.
FAIR_STAMP = """
CREATE FUNCTION scheduler.fair_stamp(
    of_tenant text, of_type text, of_priority smallint, wanted bigint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    behind bigint;
    next_claimed bigint;
    head bigint;
    other text := '';
BEGIN
    SELECT q.fair_stamp + 1 INTO behind
    FROM scheduler.jobs AS q
    WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
        AND q.priority = of_priority
    ORDER BY q.fair_stamp DESC, q.job_id DESC
    LIMIT 1;
    FOR n IN 1..100 LOOP
        SELECT q.tenant INTO other
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant > other
        ORDER BY q.tenant
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        SELECT q.fair_stamp INTO head
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = other
            AND q.priority = of_priority
        ORDER BY q.fair_stamp, q.job_id
        LIMIT 1;
        next_claimed := least(next_claimed, head);
    END LOOP;
    next_claimed := coalesce(next_claimed, 1);
    RETURN greatest(next_claimed, least(wanted, coalesce(behind, next_claimed)));
END
$$
"""
DROP_FAIR_STAMP = "DROP FUNCTION scheduler.fair_stamp(text, text, smallint, bigint)"
BY_TENANT = """
CREATE INDEX CONCURRENTLY claimable_jobs_of_a_tenant
ON scheduler.jobs (job_type, tenant, priority, fair_stamp, job_id) WHERE state = 'QUEUED'
"""
BY_TYPE = """
CREATE INDEX CONCURRENTLY claimable_jobs_by_type
ON scheduler.jobs (job_type, priority, fair_stamp, job_id) WHERE state = 'QUEUED'
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.{}"


def upgrade() -> None:
    """The new index first. What an attempt that was cut short has left is invalid: made anew."""
    op.execute(FAIR_STAMP.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
    run_patiently(
        DROP.format("claimable_jobs_of_a_tenant"), BY_TENANT, DROP.format("claimable_jobs_by_type")
    )


def downgrade() -> None:
    """As before."""
    run_patiently(
        DROP.format("claimable_jobs_by_type"), BY_TYPE, DROP.format("claimable_jobs_of_a_tenant")
    )
    op.execute(DROP_FAIR_STAMP)
