"""A tenant's jobs are found through its pipelines: each change of a job fed one more index."""

from carbonline.migrations.patiently import run_patiently

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.jobs_of_a_tenant_by_number"
CREATE = """
CREATE INDEX CONCURRENTLY jobs_of_a_tenant_by_number ON scheduler.jobs (tenant, job_id)
"""


def upgrade() -> None:
    """One index less."""
    run_patiently(DROP)


def downgrade() -> None:
    """As before. What an attempt that was cut short has left is invalid, and made anew."""
    run_patiently(DROP, CREATE)
