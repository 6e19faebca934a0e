"""Sums of collected sets are found at once: a worker of an older release leaves them behind."""

from carbonline.migrations.patiently import run_patiently

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CREATE = """
CREATE INDEX CONCURRENTLY collected_emission_sets_with_sums
    ON carbon.emission_sets (tenant, emission_set, entry_set)
    WHERE is_summed AND collected_at IS NOT NULL
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS carbon.collected_emission_sets_with_sums"


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid, and made anew."""
    run_patiently(DROP, CREATE)


def downgrade() -> None:
    """As before."""
    run_patiently(DROP)
