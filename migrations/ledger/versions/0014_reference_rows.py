"""Reference data beside places, such as exchange rates and rooms, are rows of one table."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

REFERENCE_ROWS = """
CREATE TABLE carbon.reference_rows (
    tenant text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    year smallint,
    data jsonb NOT NULL,
    file_name text NOT NULL DEFAULT '',
    blob text NOT NULL DEFAULT '',
    changed_token bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    stale boolean NOT NULL DEFAULT false,
    CONSTRAINT reference_rows_pkey PRIMARY KEY (tenant, kind, key)
)
"""


def upgrade() -> None:
    """A new table, which a worker of the build before leaves empty."""
    op.execute(REFERENCE_ROWS)


def downgrade() -> None:
    """As before."""
    op.execute("DROP TABLE carbon.reference_rows")
