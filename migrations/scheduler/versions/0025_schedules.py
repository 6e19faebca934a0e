"""Schedules submit jobs at the moments of a cron expression, and pipelines say which did."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SCHEDULES = """
CREATE TABLE scheduler.schedules (
    schedule_id bigint GENERATED ALWAYS AS IDENTITY,
    tenant text NOT NULL,
    name text NOT NULL,
    cron text NOT NULL,
    time_zone text NOT NULL,
    job_type text NOT NULL,
    module smallint,
    data_entry_type smallint,
    year smallint,
    unit text,
    reference_kind text,
    payload jsonb,
    priority smallint NOT NULL,
    runs_late boolean NOT NULL,
    jitter_seconds integer NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    next_tick timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    last_tick timestamptz,
    last_outcome text,
    last_message text NOT NULL DEFAULT '',
    last_pipeline_id bigint,
    paused_at timestamptz,
    paused_by text,
    pause_reason text,
    CONSTRAINT schedules_pkey PRIMARY KEY (schedule_id),
    CONSTRAINT a_tick_is_due_when_it_has_come CHECK (due_at >= next_tick),
    CONSTRAINT a_tick_follows_the_last_one CHECK (next_tick > last_tick),
    CONSTRAINT a_tick_that_has_come_has_an_outcome
        CHECK ((last_tick IS NULL) = (last_outcome IS NULL)),
    CONSTRAINT a_paused_schedule_says_by_whom CHECK ((paused_at IS NULL) = (paused_by IS NULL))
)
"""
ONE_PER_NAME = """
CREATE UNIQUE INDEX one_schedule_of_a_name ON scheduler.schedules (tenant, name)
"""
DUE = """
CREATE INDEX schedules_in_order_of_what_is_due ON scheduler.schedules (due_at, schedule_id)
    WHERE paused_at IS NULL
"""
# Without a default, so that no row is written anew.
OF_PIPELINE = "ALTER TABLE scheduler.pipelines ADD COLUMN IF NOT EXISTS schedule text"
# The columns of before in their order; the new one behind them.
SUMMARIES = """
CREATE OR REPLACE VIEW scheduler.pipeline_summaries AS
SELECT p.pipeline_id, p.tenant, p.kind, p.module, p.data_entry_type, p.year, p.unit,
    p.reference_kind, p.status, p.version, p.live_jobs, p.failed_jobs, p.warned_jobs,
    p.root_job_id, p.submitted_by, p.repair_of, p.retry_of, p.cancelled_at, p.cancelled_by,
    p.cancel_reason, p.created_at, p.finished_at,
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
    ) IS NOT NULL AS has_started,
    (SELECT r.priority FROM scheduler.jobs AS r WHERE r.job_id = p.root_job_id) AS priority,
    coalesce(
        CASE WHEN p.counted_version = p.version THEN p.finished_jobs END,
        scheduler.finished_jobs_of(p.pipeline_id)
    ) AS finished_count,
    coalesce(
        CASE WHEN p.counted_version = p.version THEN p.failed_job_id END, p.root_job_id
    ) AS message_job_id,
    (
        SELECT left(m.message, 512) FROM scheduler.jobs AS m
        WHERE m.job_id = coalesce(
            CASE WHEN p.counted_version = p.version THEN p.failed_job_id END, p.root_job_id
        )
    ) AS message{}
FROM scheduler.pipelines AS p
"""
SCHEDULE = """,
    p.schedule"""


def upgrade() -> None:
    """A new table, a column without a value, and the view with it."""
    for statement in (SCHEDULES, ONE_PER_NAME, DUE, OF_PIPELINE, SUMMARIES.format(SCHEDULE)):
        op.execute(statement)


def downgrade() -> None:
    """Forget them: nothing is submitted at a tick any more."""
    op.execute("DROP VIEW scheduler.pipeline_summaries")
    op.execute(SUMMARIES.format("").replace("CREATE OR REPLACE", "CREATE", 1))
    op.execute("ALTER TABLE scheduler.pipelines DROP COLUMN schedule")
    op.execute("DROP TABLE scheduler.schedules")
