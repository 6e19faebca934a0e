"""A pipeline counts its finished jobs, and its summary has a message.

Releases before write none of the three columns: their change is told by `counted_version`, which
is not the version then, and the jobs are counted when somebody asks.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = ("finished_jobs integer", "failed_job_id bigint", "counted_version bigint")
# Own and joined. One that another job does the work of counts there.
FINISHED = """
CREATE OR REPLACE FUNCTION scheduler.finished_jobs_of(of_pipeline bigint)
RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT CAST((
        SELECT count(*) FROM scheduler.jobs AS j
        WHERE j.pipeline_id = of_pipeline AND (j.state = 'FINISHED') IS TRUE
            AND j.result <> 'SUPERSEDED'
    ) + (
        SELECT count(*)
        FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
        WHERE l.pipeline_id = of_pipeline AND l.left_version IS NULL AND j.state = 'FINISHED'
            AND j.pipeline_id <> of_pipeline
    ) AS integer)
$$
"""
# What a list of pipelines finds a text in. Of the root job, whose scope is that of the pipeline.
WORDS = """
CREATE OR REPLACE FUNCTION scheduler.words_of_pipeline(
    of_pipeline bigint, kind text, unit text, submitted_by text, of_root bigint
) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT lower(concat_ws(' ', of_pipeline, kind, unit, submitted_by, (
        SELECT concat_ws(' ', r.payload ->> 'file_name', left(r.message, 512))
        FROM scheduler.jobs AS r WHERE r.job_id = of_root
    )))
$$
"""
DROP_WORDS = "DROP FUNCTION IF EXISTS scheduler.words_of_pipeline(bigint, text, text, text, bigint)"
# The columns of before in their order; the new ones behind them.
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
    (SELECT r.priority FROM scheduler.jobs AS r WHERE r.job_id = p.root_job_id) AS priority{}
FROM scheduler.pipelines AS p
"""
ENDS = """,
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
    ) AS message"""


def upgrade() -> None:
    """Columns without a default: no row is written."""
    for column in COLUMNS:
        op.execute(f"ALTER TABLE scheduler.pipelines ADD COLUMN IF NOT EXISTS {column}")
    op.execute(FINISHED)
    op.execute(WORDS)
    op.execute(SUMMARIES.format(ENDS))


def downgrade() -> None:
    """As before."""
    op.execute("DROP VIEW scheduler.pipeline_summaries")
    op.execute(SUMMARIES.format("").replace("CREATE OR REPLACE", "CREATE", 1))
    op.execute(DROP_WORDS)
    op.execute("DROP FUNCTION IF EXISTS scheduler.finished_jobs_of(bigint)")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE scheduler.pipelines DROP COLUMN IF EXISTS {column.split()[0]}")
