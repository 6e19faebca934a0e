"""Which job types an operator has paused, in which tenants, and until when."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PAUSES = """
CREATE TABLE scheduler.pauses (
    pause_id bigint GENERATED ALWAYS AS IDENTITY,
    tenant text NOT NULL,
    job_type text NOT NULL,
    paused_at timestamptz NOT NULL,
    paused_by text NOT NULL,
    reason text NOT NULL DEFAULT '',
    resumed_at timestamptz,
    resumed_by text,
    CONSTRAINT pauses_pkey PRIMARY KEY (pause_id),
    CONSTRAINT a_resumed_pause_says_by_whom CHECK ((resumed_at IS NULL) = (resumed_by IS NULL))
)
"""
# By type first: Claim asks for all tenants of a type.
ONE_AT_A_TIME = """
CREATE UNIQUE INDEX one_pause_of_a_type_at_a_time ON scheduler.pauses (job_type, tenant)
    WHERE resumed_at IS NULL
"""
OF_A_TENANT = """
CREATE INDEX pauses_of_a_tenant ON scheduler.pauses (tenant, pause_id)
"""


def upgrade() -> None:
    """A new table, which nobody waits for."""
    for statement in (PAUSES, ONE_AT_A_TIME, OF_A_TENANT):
        op.execute(statement)


def downgrade() -> None:
    """Forget them: the types are claimed again."""
    op.execute("DROP TABLE scheduler.pauses")
