"""Names of units and places are found in upper and lower case, whatever their letters."""

from alembic import op

from carbonline.migrations.comparison_key import create_comparison_key

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A function; no table changes."""
    create_comparison_key("carbon")


def downgrade() -> None:
    """Nothing of it is left."""
    op.execute("DROP FUNCTION IF EXISTS carbon.comparison_key(text)")
