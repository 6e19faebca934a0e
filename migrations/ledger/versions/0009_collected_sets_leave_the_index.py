"""Whoever looks for sets to collect reads those that wait, however many there ever were."""

from alembic import op
from sqlalchemy import text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("entry_sets", "emission_sets")
CREATE = """
CREATE INDEX CONCURRENTLY uncollected_{0} ON carbon.{0} (made_at)
WHERE state <> 'PUBLISHED' AND collected_at IS NULL
"""
CREATE_OLD = """
CREATE INDEX CONCURRENTLY {0}_to_collect ON carbon.{0} (made_at) WHERE state <> 'PUBLISHED'
"""
DROP = "DROP INDEX CONCURRENTLY IF EXISTS carbon.uncollected_{0}"
DROP_OLD = "DROP INDEX CONCURRENTLY IF EXISTS carbon.{0}_to_collect"


def _patiently(*statements: str) -> None:
    """CONCURRENTLY waits for old transactions, and nobody waits for it."""
    with op.get_context().autocommit_block():
        usual = op.get_bind().scalar(text("SHOW lock_timeout"))
        op.execute("SET lock_timeout = '2min'")
        for table in TABLES:
            for statement in statements:
                op.execute(statement.format(table))
        op.execute(f"SET lock_timeout = '{usual}'")


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid, and made anew."""
    _patiently(DROP, CREATE, DROP_OLD)


def downgrade() -> None:
    """As before."""
    _patiently(DROP_OLD, CREATE_OLD, DROP)
