"""Sets of emissions keep which entries they doubt."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty for what is computed already: its doubts are in the jobs that computed it."""
    op.execute("ALTER TABLE carbon.emission_sets ADD COLUMN doubts jsonb")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.emission_sets DROP COLUMN doubts")
