"""An event of a claim says which worker held it: the job's own row knows the last one only."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of events before nobody knows it."""
    op.execute("ALTER TABLE scheduler.job_events ADD COLUMN IF NOT EXISTS worker_id uuid")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE scheduler.job_events DROP COLUMN IF EXISTS worker_id")
