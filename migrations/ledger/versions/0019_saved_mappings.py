"""Mappings are saved under names."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """There are none yet."""
    op.execute(
        """
        CREATE TABLE carbon.mappings (
            tenant text NOT NULL,
            data_entry_type smallint NOT NULL,
            name_key text NOT NULL,
            name text NOT NULL,
            mapping jsonb NOT NULL,
            saved_by text NOT NULL,
            saved_at timestamptz NOT NULL,
            CONSTRAINT mappings_pkey PRIMARY KEY (tenant, data_entry_type, name_key)
        )
        """
    )


def downgrade() -> None:
    """As before."""
    op.execute("DROP TABLE carbon.mappings")
