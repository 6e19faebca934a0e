"""The index that keeps two duplicates from waiting is valid, whatever has happened to it."""

from alembic import op
from sqlalchemy import text

from carbonline.migrations.patiently import run_patiently

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NAME = "one_waiting_job_per_coalesce_key"
# NULL if there is no such index.
IS_VALID = f"""
SELECT i.indisvalid FROM pg_index AS i WHERE i.indexrelid = to_regclass('scheduler.{NAME}')
"""
CREATE = f"""
CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON scheduler.jobs (coalesce_key)
WHERE state IN ('NOT_STARTED', 'QUEUED') AND coalesce_key IS NOT NULL
"""
# One that is invalid because its creation was cut short refuses duplicates all the same, and so it
# stays until the new one takes its place.
DROP_LEFTOVER = f"DROP INDEX CONCURRENTLY IF EXISTS scheduler.{NAME}_ccnew"
REINDEX = f"REINDEX INDEX CONCURRENTLY scheduler.{NAME}"


def upgrade() -> None:
    """Nothing, where the index of the first migration is as it was made."""
    is_valid = op.get_bind().scalar(text(IS_VALID))
    if is_valid is None:
        run_patiently(CREATE)
    elif not is_valid:
        run_patiently(DROP_LEFTOVER, REINDEX)


def downgrade() -> None:
    """The index stays."""
