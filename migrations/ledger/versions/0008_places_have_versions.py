"""Places say how often they changed, and whether their file still has them."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All places count as unchanged and as present in their file."""
    op.execute(
        "ALTER TABLE carbon.locations ADD COLUMN version integer NOT NULL DEFAULT 1,"
        " ADD COLUMN stale boolean NOT NULL DEFAULT false"
    )


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.locations DROP COLUMN version, DROP COLUMN stale")
