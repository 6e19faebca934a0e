"""A job says which worker finished it: a Finish is repeated for that one only."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of jobs that have ended before nobody knows it."""
    op.execute("ALTER TABLE scheduler.jobs ADD COLUMN IF NOT EXISTS finished_by_worker_id uuid")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE scheduler.jobs DROP COLUMN IF EXISTS finished_by_worker_id")
