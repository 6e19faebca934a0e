"""Units that the institution's directory has no more are flagged, and stay."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All are in force."""
    op.execute("ALTER TABLE carbon.units ADD COLUMN stale boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.units DROP COLUMN stale")
