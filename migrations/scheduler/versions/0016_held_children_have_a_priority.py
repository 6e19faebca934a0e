"""Held children inherit a priority, and a pipeline shows that of its root."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

HELD = """
ALTER TABLE scheduler.held_children
    ADD COLUMN IF NOT EXISTS priority smallint NOT NULL DEFAULT 5
"""
# The columns of before in their order; the new one behind them.
SUMMARIES = """
CREATE OR REPLACE VIEW scheduler.pipeline_summaries AS
SELECT p.pipeline_id, p.tenant, p.kind, p.module, p.data_entry_type, p.year, p.unit,
    p.reference_kind, p.status, p.version, p.live_jobs, p.failed_jobs, p.warned_jobs,
    p.root_job_id, p.submitted_by, p.repair_of, p.retry_of, p.cancelled_at, p.cancelled_by,
    p.cancel_reason, p.created_at, p.finished_at,
    coalesce(
        (
            SELECT j.started_at FROM scheduler.jobs AS j WHERE j.job_id = p.root_job_id
        ), (
            SELECT j.started_at FROM scheduler.jobs AS j
            WHERE j.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
            LIMIT 1
        ), (
            SELECT j.started_at
            FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
            WHERE l.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
            LIMIT 1
        )
    ) IS NOT NULL AS has_started{}
FROM scheduler.pipelines AS p
"""
PRIORITY = """,
    (SELECT r.priority FROM scheduler.jobs AS r WHERE r.job_id = p.root_job_id) AS priority"""


def upgrade() -> None:
    """Children that are held at this moment have the usual priority."""
    op.execute(SUMMARIES.format(PRIORITY))
    op.execute(HELD)


def downgrade() -> None:
    """As before."""
    op.execute("DROP VIEW scheduler.pipeline_summaries")
    op.execute(SUMMARIES.format("").replace("CREATE OR REPLACE", "CREATE", 1))
    op.execute("ALTER TABLE scheduler.held_children DROP COLUMN IF EXISTS priority")
