"""Statements that nobody waits for, such as CREATE INDEX CONCURRENTLY, within a migration."""

from alembic import op
from sqlalchemy import text

LOCK_TIMEOUT = "2min"


def run_patiently(*statements: str) -> None:
    """Run them one by one, each in a transaction of its own.

    CONCURRENTLY waits for old transactions, and nobody waits for it: the session's short timeout
    for locks, which keeps others from queueing behind a migration, would only cut it short. What
    has run so far stays if a later one fails.
    """
    with op.get_context().autocommit_block():
        usual = op.get_bind().scalar(text("SHOW lock_timeout"))
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        for statement in statements:
            op.execute(statement)
        op.execute(f"SET lock_timeout = '{usual}'")
