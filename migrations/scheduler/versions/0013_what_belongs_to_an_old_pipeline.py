"""An old pipeline's requests, and who repairs or retries it, are found when it is to be deleted."""

from carbonline.migrations.patiently import run_patiently

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Both grow at their end only, and the second one with repairs and retries only.
REQUESTS = """
CREATE INDEX CONCURRENTLY requests_of_a_pipeline ON scheduler.submit_requests (pipeline_id)
"""
SUCCESSORS = """
CREATE INDEX CONCURRENTLY pipelines_that_mend_another
ON scheduler.pipelines (coalesce(repair_of, retry_of))
WHERE coalesce(repair_of, retry_of) IS NOT NULL
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS scheduler.{}"


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid: made anew."""
    run_patiently(
        DROP.format("requests_of_a_pipeline"),
        REQUESTS,
        DROP.format("pipelines_that_mend_another"),
        SUCCESSORS,
    )


def downgrade() -> None:
    """As before."""
    run_patiently(DROP.format("pipelines_that_mend_another"), DROP.format("requests_of_a_pipeline"))
