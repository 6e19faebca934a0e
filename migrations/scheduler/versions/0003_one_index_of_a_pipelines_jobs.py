"""One index finds a pipeline's live jobs and its changes, where each claim fed two."""

from carbonline.migrations.patiently import run_patiently

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CREATE = "CREATE INDEX CONCURRENTLY {} ON scheduler.jobs {}"
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.{}"
ONE = ("jobs_of_a_pipeline", "(pipeline_id, (state = 'FINISHED'), changed_version)")
TWO = (
    ("jobs_of_a_pipeline_by_change", "(pipeline_id, changed_version)"),
    ("live_jobs_of_a_pipeline", "(pipeline_id, job_type) WHERE state <> 'FINISHED'"),
)


def _replace(new: tuple[tuple[str, str], ...], old: tuple[tuple[str, str], ...]) -> None:
    """What an attempt that was cut short has left is invalid, and made anew."""
    made = [text for name, what in new for text in (DROP.format(name), CREATE.format(name, what))]
    run_patiently(*made, *(DROP.format(name) for name, _ in old))


def upgrade() -> None:
    """One for two."""
    _replace((ONE,), TWO)


def downgrade() -> None:
    """As before."""
    _replace(TWO, (ONE,))
