"""An upload says with which mapping its file was read."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before were read as they are."""
    op.execute("ALTER TABLE carbon.entry_sets ADD COLUMN mapping jsonb")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.entry_sets DROP COLUMN mapping")
