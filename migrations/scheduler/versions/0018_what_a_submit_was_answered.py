"""A remembered Submit says what it was answered: a repeat says so, too."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of requests before nobody knows it, and a retry was answered for each of its jobs."""
    op.execute("ALTER TABLE scheduler.submit_requests ADD COLUMN IF NOT EXISTS disposition text")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE scheduler.submit_requests DROP COLUMN IF EXISTS disposition")
