"""Tables whose rows change all the time are vacuumed by what changed, not by how large they are."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# By default a fifth of a table must be dead first: of a million finished jobs 200,000 rows, which
# every look at the head of a queue passes. The lock that this takes stops no reader and no writer.
TABLES = ("jobs", "pipelines", "exclusive_keys", "claim_requests", "submit_requests", "job_links")
SET = """
ALTER TABLE scheduler.{} SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 1000
)
"""
RESET = """
ALTER TABLE scheduler.{} RESET (
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
    autovacuum_analyze_scale_factor, autovacuum_analyze_threshold
)
"""


def upgrade() -> None:
    """Each in a transaction of its own: two locked tables could be a deadlock."""
    for table in TABLES:
        with op.get_context().autocommit_block():
            op.execute(SET.format(table))


def downgrade() -> None:
    """As before."""
    for table in TABLES:
        with op.get_context().autocommit_block():
            op.execute(RESET.format(table))
