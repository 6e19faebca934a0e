"""Whether a job names a blob is looked up by index, so that what no job names can be deleted."""

from alembic import op

from carbonline.migrations.patiently import run_patiently

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Whatever the key: of a payload "blob", of stats "rejected_blob" and others.
NAMED_BLOBS = """
CREATE OR REPLACE FUNCTION scheduler.named_blobs(payload jsonb, stats jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_path_query_array(coalesce(payload, '{}'), '$.* ? (@ starts with "blob:sha256:")')
    || jsonb_path_query_array(coalesce(stats, '{}'), '$.* ? (@ starts with "blob:sha256:")')
"""
DROP_NAMED_BLOBS = "DROP FUNCTION scheduler.named_blobs(jsonb, jsonb)"
# What most jobs have of neither is asked first. Without fastupdate, because a look would read all
# that is pending for each blob.
CREATE = """
CREATE INDEX CONCURRENTLY jobs_that_name_blobs ON scheduler.jobs
USING gin (scheduler.named_blobs(payload, stats)) WITH (fastupdate = off)
WHERE (payload IS NOT NULL OR stats IS NOT NULL) AND scheduler.named_blobs(payload, stats) <> '[]'
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.jobs_that_name_blobs"


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    op.execute(NAMED_BLOBS)
    run_patiently(DROP, CREATE)


def downgrade() -> None:
    """As before."""
    run_patiently(DROP, DROP_NAMED_BLOBS)
