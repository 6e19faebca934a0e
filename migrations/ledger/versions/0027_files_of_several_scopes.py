"""Files that are sent, or made by jobs, for several scopes are found by each of them."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was sent or made before is found by the scope that came first, as it was."""
    op.execute(
        """
        CREATE TABLE carbon.blob_scopes (
            tenant text NOT NULL,
            blob text NOT NULL,
            module smallint NOT NULL,
            unit text NOT NULL,
            data_entry_type smallint NOT NULL,
            year smallint NOT NULL,
            file_name text NOT NULL,
            noted_at timestamptz NOT NULL,
            CONSTRAINT blob_scopes_pkey PRIMARY KEY (tenant, blob, module, unit)
        )
        """
    )


def downgrade() -> None:
    """As before."""
    op.execute("DROP TABLE carbon.blob_scopes")
