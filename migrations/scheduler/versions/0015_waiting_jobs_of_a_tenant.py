"""A tenant's jobs that wait behind others are counted by index."""

from carbonline.migrations.patiently import run_patiently

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# With IS TRUE, so that only a statement which says so reads by it: with the plain condition, others
# would read all waiting jobs by it.
CREATE = """
CREATE INDEX CONCURRENTLY waiting_jobs_of_a_tenant ON scheduler.jobs (tenant)
WHERE (state = 'NOT_STARTED') IS TRUE
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.waiting_jobs_of_a_tenant"


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    run_patiently(DROP, CREATE)


def downgrade() -> None:
    """As before."""
    run_patiently(DROP)
