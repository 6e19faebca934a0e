"""What a job's publication did is kept with it, for a retry that finds it done."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JOB_ANSWERS = """
CREATE TABLE carbon.job_answers (
    tenant text NOT NULL,
    job_id bigint NOT NULL,
    claim_token bigint NOT NULL,
    answer jsonb NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT job_answers_pkey PRIMARY KEY (tenant, job_id)
)
"""
OLDEST = "CREATE INDEX job_answers_by_age ON carbon.job_answers (made_at)"


def upgrade() -> None:
    """A new table, which a worker of the build before leaves empty."""
    op.execute(JOB_ANSWERS)
    op.execute(OLDEST)


def downgrade() -> None:
    """As before."""
    op.execute("DROP TABLE carbon.job_answers")
