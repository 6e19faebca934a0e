"""Transactions that are always rolled back: they show what a change would leave."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from worker_service.ledger.pool import Connection, Ledger


@asynccontextmanager
async def rehearsal(ledger: Ledger) -> AsyncIterator[Connection]:
    """A transaction without a fence, because nothing of it is ever committed.

    Keep it short: it locks the rows that it changes. Raises DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            yield conn
        finally:
            # A session that is lost has rolled back by itself.
            with suppress(*ANY_DATABASE_ERROR):
                await transaction.rollback()
