"""Of two factors that are not in the newest file, the one that a later file had counts."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty for what is stale already: nobody knows which of those was given last."""
    op.execute("ALTER TABLE carbon.factors ADD COLUMN stale_token bigint")


def downgrade() -> None:
    """As before."""
    op.execute("ALTER TABLE carbon.factors DROP COLUMN stale_token")
