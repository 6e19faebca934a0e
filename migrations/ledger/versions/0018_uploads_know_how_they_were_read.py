"""An upload keeps what its file was read with, so that the same file need not be read again."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown of those that are there: their files are read again."""
    op.execute("ALTER TABLE carbon.entry_sets ADD COLUMN IF NOT EXISTS reading jsonb")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.entry_sets DROP COLUMN IF EXISTS reading")
