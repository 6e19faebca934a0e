"""A worker says why it claims no jobs for now."""

from alembic import op
from sqlalchemy import Column, Text, text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column, of a table with one row for each worker."""
    op.add_column(
        "workers",
        Column("not_ready", Text, server_default=text("''"), nullable=False),
        schema="scheduler",
    )


def downgrade() -> None:
    """As before."""
    op.drop_column("workers", "not_ready", schema="scheduler")
