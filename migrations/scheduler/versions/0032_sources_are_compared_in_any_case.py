"""Sources, units and texts that are looked for are compared in any case, whatever the letters."""

from alembic import op

from carbonline.migrations.comparison_key import create_comparison_key
from carbonline.migrations.patiently import run_patiently

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# As workers read it: without a name, an upload is of the default source.
SOURCE = """
CREATE OR REPLACE FUNCTION scheduler.upload_source(payload jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    nullif({lower}(btrim(coalesce(payload ->> 'source', payload ->> 'provider'))), ''), 'default'
)
"""
# What a list of pipelines finds a text in. Of the root job, whose scope is that of the pipeline.
WORDS = """
CREATE OR REPLACE FUNCTION scheduler.words_of_pipeline(
    of_pipeline bigint, kind text, unit text, submitted_by text, of_root bigint
) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT {lower}(concat_ws(' ', of_pipeline, kind, unit, submitted_by, (
        SELECT concat_ws(' ', r.payload ->> 'file_name', left(r.message, 512))
        FROM scheduler.jobs AS r WHERE r.job_id = of_root
    )))
$$
"""
GOOD = """
CREATE INDEX CONCURRENTLY {name}
ON scheduler.jobs (
    tenant, year, module, job_type, coalesce(data_entry_type, 0),
    coalesce({lower}(btrim(unit)), ''), scheduler.upload_source(payload), pipeline_id
)
WHERE result IN ('SUCCESS', 'WARNING') AND job_type IN
('csv_ingest', 'api_ingest', 'factor_ingest', 'routed_ingest', 'routed_factor_ingest')
"""
BROUGHT = """
CREATE INDEX CONCURRENTLY {name}
ON scheduler.jobs (
    tenant, job_type, coalesce(module, 0), coalesce({lower}(btrim(unit)), ''), pipeline_id,
    coalesce(year, 0)
)
WHERE (result IS NULL OR result IN ('SUCCESS', 'WARNING')) AND job_type IN
('csv_ingest', 'api_ingest', 'routed_ingest', 'factor_ingest', 'routed_factor_ingest',
'reference_ingest', 'unit_sync', 'unit_removal')
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.{}"
OF_BEFORE = {"good_uploads_by_source": GOOD, "what_was_brought_by_scope": BROUGHT}
NOW = {"good_uploads_of_a_source": GOOD, "what_was_brought": BROUGHT}


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    create_comparison_key("scheduler")
    _compare_by("scheduler.comparison_key", OF_BEFORE, NOW)


def downgrade() -> None:
    """As before."""
    _compare_by("lower", NOW, OF_BEFORE)
    op.execute("DROP FUNCTION IF EXISTS scheduler.comparison_key(text)")


def _compare_by(lower: str, gone: dict[str, str], made: dict[str, str]) -> None:
    # The index is of the function's answers, so it goes before the function changes.
    run_patiently(
        *(DROP.format(name) for name in (*gone, *made)),
        SOURCE.format(lower=lower),
        WORDS.format(lower=lower),
        *(index.format(name=name, lower=lower) for name, index in made.items()),
    )
