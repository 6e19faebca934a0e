"""A set of emissions has its sums beside it, so that totals add up sums and not rows."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sets that were published before have none: the next aggregation makes them."""
    op.execute("""
CREATE TABLE carbon.emission_sums (
    tenant text NOT NULL,
    emission_set bigint NOT NULL,
    entry_set bigint NOT NULL,
    unit text NOT NULL,
    emission_type text NOT NULL,
    kg numeric NOT NULL,
    additional_value numeric,
    CONSTRAINT emission_sums_pkey
        PRIMARY KEY (tenant, emission_set, entry_set, unit, emission_type)
)
""")
    op.execute(
        "ALTER TABLE carbon.emission_sets ADD COLUMN is_summed boolean NOT NULL DEFAULT false"
    )


def downgrade() -> None:
    """As before: totals are summed from rows."""
    op.execute("ALTER TABLE carbon.emission_sets DROP COLUMN is_summed")
    op.execute("DROP TABLE carbon.emission_sums")
