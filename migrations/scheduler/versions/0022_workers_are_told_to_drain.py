"""A worker's row says whether an operator has told it to drain: when, who and why."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has told any."""
    op.execute(
        "ALTER TABLE scheduler.workers"
        " ADD COLUMN IF NOT EXISTS drain_asked_at timestamptz,"
        " ADD COLUMN IF NOT EXISTS drain_asked_by text,"
        " ADD COLUMN IF NOT EXISTS drain_reason text"
    )


def downgrade() -> None:
    """As before."""
    op.execute(
        "ALTER TABLE scheduler.workers"
        " DROP COLUMN IF EXISTS drain_asked_at,"
        " DROP COLUMN IF EXISTS drain_asked_by,"
        " DROP COLUMN IF EXISTS drain_reason"
    )
