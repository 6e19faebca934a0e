"""Lends the few connections of the reads, each for one read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from carbonline.postgres.pool import Pool
from scheduler_service.store.core.statements import Connection

# Who waits longer would have asked again already.
WAIT_SECONDS = 10.0


class ReadTookTooLong(asyncpg.QueryCanceledError):
    """A statement of a read met the timeout of its session."""


class TooManyReads(asyncpg.TooManyConnectionsError):
    """For WAIT_SECONDS other reads have held every connection that reads may have."""


class Readers:
    """The connections for reads. Those who wait for one are served in the order in which they came,
    and wait for nobody but each other.
    """

    def __init__(self, pool: Pool, *, for_callers: bool = True) -> None:
        """Reads on `pool`. What the scheduler reads by itself is not `for_callers`: it fails with
        the driver's errors, for no caller could ask for less.
        """
        self._pool = pool
        self._for_callers = for_callers
        self._free = asyncio.Semaphore(pool.get_max_size())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection. Raises TooManyReads, and ReadTookTooLong for what is asked on it, or else
        TimeoutError and QueryCanceledError.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            if not self._for_callers:
                raise
            raise TooManyReads("every connection for reads is in use") from None
        try:
            async with self._pool.acquire() as conn:
                yield conn
        except asyncpg.QueryCanceledError as error:
            if not self._for_callers:
                raise
            raise ReadTookTooLong(str(error)) from error
        finally:
            self._free.release()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """As `connection`; all statements see the same moment."""
        async with (
            self.connection() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield conn
