"""An upload says which sheet of a workbook was asked for."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of those of before it is not known: they are read like a file without a choice."""
    op.execute("ALTER TABLE carbon.entry_sets ADD COLUMN sheet text NOT NULL DEFAULT ''")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.entry_sets DROP COLUMN sheet")
