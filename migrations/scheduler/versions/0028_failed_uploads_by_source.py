"""Which uploads failed, and whether a later one has made them good, is looked up by index."""

from carbonline.migrations.patiently import run_patiently

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# As workers read it: without a name, an upload is of the default source.
SOURCE = """
CREATE OR REPLACE FUNCTION scheduler.upload_source(payload jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    nullif(lower(btrim(coalesce(payload ->> 'source', payload ->> 'provider'))), ''), 'default'
)
"""
DROP_SOURCE = "DROP FUNCTION IF EXISTS scheduler.upload_source(jsonb)"
UPLOADS = """job_type IN
('csv_ingest', 'api_ingest', 'factor_ingest', 'routed_ingest', 'routed_factor_ingest')"""
FAILED = f"""
CREATE INDEX CONCURRENTLY failed_uploads_of_a_module
ON scheduler.jobs (tenant, year, module, pipeline_id)
WHERE result = 'ERROR' AND {UPLOADS}
"""
GOOD = f"""
CREATE INDEX CONCURRENTLY good_uploads_by_source
ON scheduler.jobs (
    tenant, year, module, job_type, coalesce(data_entry_type, 0),
    coalesce(lower(btrim(unit)), ''), scheduler.upload_source(payload), pipeline_id
)
WHERE result IN ('SUCCESS', 'WARNING') AND {UPLOADS}
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.{}"


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    run_patiently(
        SOURCE,
        DROP.format("failed_uploads_of_a_module"),
        FAILED,
        DROP.format("good_uploads_by_source"),
        GOOD,
    )


def downgrade() -> None:
    """As before."""
    run_patiently(
        DROP.format("good_uploads_by_source"),
        DROP.format("failed_uploads_of_a_module"),
        DROP_SOURCE,
    )
