"""Whoever looks for sets to collect reads those that wait, however many there ever were."""

from carbonline.migrations.patiently import run_patiently

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


def _of_each_table(*statements: str) -> None:
    run_patiently(*(statement.format(table) for table in TABLES for statement in statements))


def upgrade() -> None:
    """What an attempt that was cut short has left is invalid, and made anew."""
    _of_each_table(DROP, CREATE, DROP_OLD)


def downgrade() -> None:
    """As before."""
    _of_each_table(DROP_OLD, CREATE_OLD, DROP)
