"""What every job cost and nothing needed: a look at its pipeline, and compressed claim records."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# In the order of every transaction of the scheduler. To drop or add a foreign key locks both, the
# other way round, which under load is a deadlock.
IN_ORDER = "LOCK TABLE scheduler.pipelines, scheduler.jobs IN ACCESS EXCLUSIVE MODE"
# A look-up per inserted job, a quarter of what a Submit cost. A job is inserted only under its
# pipeline's lock or with it, and no pipeline is ever deleted.
NO_OWNER = "ALTER TABLE scheduler.jobs DROP CONSTRAINT IF EXISTS a_job_belongs_to_a_pipeline"
OWNER = """
ALTER TABLE scheduler.jobs ADD CONSTRAINT a_job_belongs_to_a_pipeline
    FOREIGN KEY (pipeline_id) REFERENCES scheduler.pipelines (pipeline_id) NOT VALID
"""
VALID_OWNER = "ALTER TABLE scheduler.jobs VALIDATE CONSTRAINT a_job_belongs_to_a_pipeline"
# Kept for an hour, and read once at most: not worth compressing.
RECORDS = """
ALTER TABLE scheduler.claim_requests
    ALTER COLUMN job_ids SET STORAGE {0}, ALTER COLUMN claim_tokens SET STORAGE {0}
"""


def _on_its_own(statement: str) -> None:
    """In a transaction of its own, which waits for this table and holds no other meanwhile.
    An upgrade that is cut short behind it does it again, to the same effect.
    """
    with op.get_context().autocommit_block():
        op.execute(statement)


def upgrade() -> None:
    """Lighter."""
    _on_its_own(RECORDS.format("EXTERNAL"))
    op.execute(IN_ORDER)
    op.execute(NO_OWNER)


def downgrade() -> None:
    """As before."""
    _on_its_own(RECORDS.format("EXTENDED"))
    op.execute(IN_ORDER)
    op.execute(NO_OWNER)
    op.execute(OWNER)
    _on_its_own(VALID_OWNER)
