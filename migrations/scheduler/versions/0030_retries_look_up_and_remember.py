"""A retry finds a newer upload of the same by an index, and its answer is kept."""

from alembic import op

from carbonline.migrations.patiently import run_patiently

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BROUGHT = """
CREATE INDEX CONCURRENTLY what_was_brought_by_scope
ON scheduler.jobs (
    tenant, job_type, coalesce(module, 0), coalesce(lower(btrim(unit)), ''), pipeline_id,
    coalesce(year, 0)
)
WHERE (result IS NULL OR result IN ('SUCCESS', 'WARNING')) AND job_type IN
('csv_ingest', 'api_ingest', 'routed_ingest', 'factor_ingest', 'routed_factor_ingest',
'reference_ingest', 'unit_sync', 'unit_removal')
"""
# Without a default, so that no row is written anew.
ANSWER = "ALTER TABLE scheduler.submit_requests ADD COLUMN IF NOT EXISTS retried jsonb"
DROP_ANSWER = "ALTER TABLE scheduler.submit_requests DROP COLUMN IF EXISTS retried"
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.what_was_brought_by_scope"


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    op.execute(ANSWER)
    run_patiently(DROP, BROUGHT)


def downgrade() -> None:
    """As before."""
    run_patiently(DROP)
    op.execute(DROP_ANSWER)
