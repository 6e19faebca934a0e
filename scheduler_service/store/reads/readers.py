"""Lends the few connections of the reads, each for one read."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from carbonline.postgres.pool import Pool
from carbonline.postgres.turns import WAIT_SECONDS, NoTurn, Turns
from scheduler_service.store.core.statements import Connection


def anybody() -> str:
    """Where nobody is told from another."""
    return ""


class ReadTookTooLong(asyncpg.QueryCanceledError):
    """A statement of a read met the timeout of its session."""


class TooManyReads(asyncpg.TooManyConnectionsError):
    """For WAIT_SECONDS other reads have held every connection that reads may have."""


class Readers:
    """The connections for reads. Those who wait for one are served in turn, and wait for nobody but
    each other.
    """

    def __init__(
        self, pool: Pool, *, for_callers: bool = True, asker: Callable[[], str] = anybody
    ) -> None:
        """Reads on `pool`, of which each `asker` has its turn: it names the one at work. What the
        scheduler reads by itself is not `for_callers`: it fails with the driver's errors, for no
        caller could ask for less.
        """
        self._pool = pool
        self._for_callers = for_callers
        self._asker = asker
        self._turns = Turns(pool.get_max_size())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection. Raises TooManyReads, and ReadTookTooLong for what is asked on it, or else
        TimeoutError and QueryCanceledError.
        """
        turn = self._turns.one(self._asker(), WAIT_SECONDS)
        try:
            async with turn, self._pool.acquire() as conn:
                yield conn
        except NoTurn as error:
            if not self._for_callers:
                raise
            raise TooManyReads("every connection for reads is in use") from error
        except asyncpg.QueryCanceledError as error:
            if not self._for_callers:
                raise
            raise ReadTookTooLong(str(error)) from error

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """As `connection`; all statements see the same moment."""
        async with (
            self.connection() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield conn
