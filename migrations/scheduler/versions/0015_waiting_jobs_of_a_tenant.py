"""A tenant's jobs that wait behind others are counted by index."""

from alembic import op
from sqlalchemy import text

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


def _patiently(*statements: str) -> None:
    """Without a lock that anybody waits for; see 0003."""
    with op.get_context().autocommit_block():
        usual = op.get_bind().scalar(text("SHOW lock_timeout"))
        op.execute("SET lock_timeout = '2min'")
        for statement in statements:
            op.execute(statement)
        op.execute(f"SET lock_timeout = '{usual}'")


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    _patiently(DROP, CREATE)


def downgrade() -> None:
    """As before."""
    _patiently(DROP)
