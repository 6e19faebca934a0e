"""What counted long ago is found at once, with what it was replaced by: it is forgotten."""

from carbonline.migrations.patiently import run_patiently

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NAMES = (
    "collected_entry_sets",
    "entry_sets_by_who_replaced_them",
    "collected_emission_sets",
    "later_factor_versions",
)
CREATE = (
    """CREATE INDEX CONCURRENTLY collected_entry_sets
        ON carbon.entry_sets (tenant, collected_at, entry_set)
        WHERE collected_at IS NOT NULL""",
    """CREATE INDEX CONCURRENTLY entry_sets_by_who_replaced_them
        ON carbon.entry_sets (tenant, retired_by) WHERE state = 'RETIRED'""",
    """CREATE INDEX CONCURRENTLY collected_emission_sets
        ON carbon.emission_sets (tenant, collected_at, emission_set, entry_set)
        WHERE collected_at IS NOT NULL""",
    """CREATE INDEX CONCURRENTLY later_factor_versions
        ON carbon.factor_versions (tenant, made_at, factor_id, version) WHERE version > 1""",
)
DROP = tuple(f"DROP INDEX CONCURRENTLY IF EXISTS carbon.{name}" for name in NAMES)


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid, and made anew."""
    run_patiently(*DROP, *CREATE)


def downgrade() -> None:
    """As before."""
    run_patiently(*DROP)
