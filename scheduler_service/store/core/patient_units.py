"""Transactions of calls, any number at once: who waits for a lock waits without a connection."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.statements import Connection
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.core.unlocked import LOCKED_PAUSE_SECONDS, LOCKED_SECONDS_MAX

# For as long does a call keep a connection at a lock of others. All that come at once for one
# locked pipeline do so one after the other, so it is much less than the wait of a batch.
LOCK_SECONDS = 0.05
# Of calls that were locked out, so many look again at once: new ones find a connection.
LOOKS_MAX = 2

Answer = TypeVar("Answer")
Read = TypeVar("Read")


class PatientUnits:
    """Runs what may have to wait for locks of others. One per store."""

    def __init__(self, units: UnitRunner, connections_max: int) -> None:
        """`units` run on a pool of at most `connections_max` connections."""
        self._units = units
        self._looks = asyncio.Semaphore(max(1, min(LOOKS_MAX, connections_max - 1)))

    async def run(self, work: Callable[[UnitOfWork], Awaitable[Answer]]) -> Answer:
        """The answer of `work`, committed. `work` may be called again from the start.

        Raises LockNotAvailableError for what is still locked after LOCKED_SECONDS_MAX.
        """
        return await self.run_and_read(work, _as_it_is)

    async def run_and_read(
        self,
        work: Callable[[UnitOfWork], Awaitable[Answer]],
        read: Callable[[Connection, Answer], Awaitable[Read]],
    ) -> Read:
        """As `run`, but the answer is what `read` finds once everything is saved, before the
        commit: where it cannot be read, nothing was done.
        """
        try:
            return await self._units.run_unless_locked(work, read, LOCK_SECONDS)
        except asyncpg.LockNotAvailableError:
            pass
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + LOCKED_SECONDS_MAX
        while True:
            await asyncio.sleep(random.uniform(*LOCKED_PAUSE_SECONDS))  # noqa: S311
            async with self._looks:
                try:
                    return await self._units.run_unless_locked(work, read, LOCK_SECONDS)
                except asyncpg.LockNotAvailableError:
                    if loop.time() > ends_at:
                        raise


async def _as_it_is(_conn: Connection, answer: Answer) -> Answer:
    return answer
