"""Units say which file brought them, as places do."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNITS = """
ALTER TABLE carbon.units
    ADD COLUMN file_name text NOT NULL DEFAULT '',
    ADD COLUMN blob text NOT NULL DEFAULT '',
    ADD COLUMN changed_at timestamptz
"""


def upgrade() -> None:
    """Constant defaults rewrite no row."""
    op.execute(UNITS)


def downgrade() -> None:
    """As before."""
    op.execute(
        """
        ALTER TABLE carbon.units
            DROP COLUMN file_name, DROP COLUMN blob, DROP COLUMN changed_at
        """
    )
