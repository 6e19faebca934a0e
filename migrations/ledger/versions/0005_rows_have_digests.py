"""Uploads keep a digest of each row, so that two of them can be compared row by row."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROW_DIGESTS = """
CREATE TABLE carbon.row_digests (
    tenant text NOT NULL,
    entry_set bigint NOT NULL,
    first_row integer NOT NULL,
    made_by text NOT NULL,
    digests bytea NOT NULL,
    CONSTRAINT row_digests_pkey PRIMARY KEY (tenant, entry_set, first_row)
)
"""
# Hashes do not compress.
NOT_COMPRESSED = "ALTER TABLE carbon.row_digests ALTER COLUMN digests SET STORAGE EXTERNAL"


def upgrade() -> None:
    """A new table: a worker of the build before leaves it empty, and what it lacks is computed."""
    op.execute(ROW_DIGESTS)
    op.execute(NOT_COMPRESSED)


def downgrade() -> None:
    """As before."""
    op.execute("DROP TABLE carbon.row_digests")
