"""Whether a pipeline has begun is looked up for it alone, where all jobs might have been read."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

VIEW = """
CREATE OR REPLACE VIEW scheduler.pipeline_cards AS
SELECT p.*, {} AS has_started
FROM scheduler.pipelines AS p
"""
# The planner may answer EXISTS for many pipelines from a list of all jobs that have started.
EXISTS = """
EXISTS (
    SELECT FROM scheduler.jobs AS j
    WHERE j.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
) OR EXISTS (
    SELECT FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
    WHERE l.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
)
"""
# The root first: thousands of its children may wait.
LOOKED_UP = """
coalesce(
    (
        SELECT j.started_at FROM scheduler.jobs AS j WHERE j.job_id = p.root_job_id
    ), (
        SELECT j.started_at FROM scheduler.jobs AS j
        WHERE j.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
        LIMIT 1
    ), (
        SELECT j.started_at
        FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
        WHERE l.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
        LIMIT 1
    )
) IS NOT NULL
"""


def upgrade() -> None:
    """By index."""
    op.execute(VIEW.format(LOOKED_UP))


def downgrade() -> None:
    """As before."""
    op.execute(VIEW.format(EXISTS))
