"""One index finds a pipeline's live jobs and its changes, where each claim fed two."""

from alembic import op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CREATE = "CREATE INDEX CONCURRENTLY {} ON scheduler.jobs {}"
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.{}"
# Both wait until every older snapshot in the database has gone, and nobody waits behind them: no
# reason to give up as soon as where a table is locked.
PATIENCE = "SET lock_timeout = '2min'"
ONE = ("jobs_of_a_pipeline", "(pipeline_id, (state = 'FINISHED'), changed_version)")
TWO = (
    ("jobs_of_a_pipeline_by_change", "(pipeline_id, changed_version)"),
    ("live_jobs_of_a_pipeline", "(pipeline_id, job_type) WHERE state <> 'FINISHED'"),
)


def _replace(new: tuple[tuple[str, str], ...], old: tuple[tuple[str, str], ...]) -> None:
    """Without a lock that anybody waits for. What an attempt that was cut short has left is
    invalid, and made anew.
    """
    with op.get_context().autocommit_block():
        usual = op.get_bind().scalar(text("SHOW lock_timeout"))
        op.execute(PATIENCE)
        for name, what in new:
            op.execute(DROP.format(name))
            op.execute(CREATE.format(name, what))
        for name, _ in old:
            op.execute(DROP.format(name))
        op.execute(f"SET lock_timeout = '{usual}'")


def upgrade() -> None:
    """One for two."""
    _replace((ONE,), TWO)


def downgrade() -> None:
    """As before."""
    _replace(TWO, (ONE,))
