"""A tenant's jobs are found through its pipelines: each change of a job fed one more index."""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.jobs_of_a_tenant_by_number"
CREATE = """
CREATE INDEX CONCURRENTLY jobs_of_a_tenant_by_number ON scheduler.jobs (tenant, job_id)
"""


def _patiently(*statements: str) -> None:
    """Without a lock that anybody waits for; see 0003."""
    with op.get_context().autocommit_block():
        usual = op.get_bind().scalar(text("SHOW lock_timeout"))
        op.execute("SET lock_timeout = '2min'")
        for statement in statements:
            op.execute(statement)
        op.execute(f"SET lock_timeout = '{usual}'")


def upgrade() -> None:
    """One index less."""
    _patiently(DROP)


def downgrade() -> None:
    """As before. What an attempt that was cut short has left is invalid, and made anew."""
    _patiently(DROP, CREATE)
