"""Mappings are saved for all kinds of files, and stand with what was loaded."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before are of files of activity data. There are few of them, so the key is made anew
    at once.
    """
    op.execute(
        """
        ALTER TABLE carbon.mappings
            ADD COLUMN file_kind text NOT NULL DEFAULT 'entries',
            DROP CONSTRAINT mappings_pkey,
            ADD CONSTRAINT mappings_pkey
                PRIMARY KEY (tenant, data_entry_type, file_kind, name_key)
        """
    )
    op.execute(
        """
        CREATE TABLE carbon.load_mappings (
            tenant text NOT NULL,
            claim_token bigint NOT NULL,
            mapping jsonb NOT NULL,
            CONSTRAINT load_mappings_pkey PRIMARY KEY (tenant, claim_token)
        )
        """
    )


def downgrade() -> None:
    """Only mappings of files of activity data are left."""
    op.execute("DROP TABLE carbon.load_mappings")
    op.execute("DELETE FROM carbon.mappings WHERE file_kind <> 'entries'")
    op.execute(
        """
        ALTER TABLE carbon.mappings
            DROP CONSTRAINT mappings_pkey,
            ADD CONSTRAINT mappings_pkey PRIMARY KEY (tenant, data_entry_type, name_key),
            DROP COLUMN file_kind
        """
    )
