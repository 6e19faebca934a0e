"""What a sweep failed at is set aside, so that it holds up nothing else."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CREATE = """
CREATE TABLE scheduler.set_asides (
    step text NOT NULL,
    item text NOT NULL,
    job_id bigint,
    failures integer NOT NULL,
    until timestamptz NOT NULL,
    reason text NOT NULL,
    CONSTRAINT set_asides_pkey PRIMARY KEY (step, item)
)
"""


def upgrade() -> None:
    """A small table of its own: what is set aside may be a claim, a job or a key."""
    op.execute(CREATE)


def downgrade() -> None:
    """As before."""
    op.execute("DROP TABLE scheduler.set_asides")
