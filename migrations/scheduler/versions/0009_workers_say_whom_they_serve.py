"""A worker's row names the tenants that it serves: others need not see it, nor wait for it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of a worker that a scheduler of the last release has written nobody knows it."""
    op.execute("ALTER TABLE scheduler.workers ADD COLUMN IF NOT EXISTS tenants text[]")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE scheduler.workers DROP COLUMN IF EXISTS tenants")
