"""Places and factors say which file brought them; a factor can be taken out of force."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOCATIONS = """
ALTER TABLE carbon.locations
    ADD COLUMN file_name text NOT NULL DEFAULT '',
    ADD COLUMN blob text NOT NULL DEFAULT '',
    ADD COLUMN changed_token bigint NOT NULL DEFAULT 0,
    ADD COLUMN changed_at timestamptz
"""
# Nothing is deleted: what was computed by a factor can be explained when it is no longer in force.
FACTORS = "ALTER TABLE carbon.factors ADD COLUMN removed_at timestamptz"
FACTOR_VERSIONS = """
ALTER TABLE carbon.factor_versions
    ADD COLUMN file_name text NOT NULL DEFAULT '',
    ADD COLUMN removes boolean NOT NULL DEFAULT false
"""


def upgrade() -> None:
    """Constant defaults rewrite no row."""
    for statement in (LOCATIONS, FACTORS, FACTOR_VERSIONS):
        op.execute(statement)


def downgrade() -> None:
    """As before; factors that were taken out of force are in force again, as stale ones."""
    op.execute("UPDATE carbon.factors SET stale = true WHERE removed_at IS NOT NULL")
    op.execute("ALTER TABLE carbon.factors DROP COLUMN removed_at")
    op.execute("ALTER TABLE carbon.factor_versions DROP COLUMN file_name, DROP COLUMN removes")
    op.execute(
        """
        ALTER TABLE carbon.locations
            DROP COLUMN file_name, DROP COLUMN blob, DROP COLUMN changed_token,
            DROP COLUMN changed_at
        """
    )
