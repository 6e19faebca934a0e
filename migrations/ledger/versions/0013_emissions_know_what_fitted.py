"""Sets of emissions keep a digest of the factors that fitted, so that new values patch them."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty for what is computed already: its next change of a factor computes it as a whole."""
    op.execute("ALTER TABLE carbon.emission_sets ADD COLUMN factors_digest text")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.emission_sets DROP COLUMN factors_digest")
