"""Runs a transaction until its locks suffice; wakes watchers and workers after its commit."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from carbonline.postgres.errors import TRY_AGAIN
from scheduler_service.store.core.fair_share import FairShare
from scheduler_service.store.core.unit_of_work import MustLockMore, Needs, UnitOfWork
from scheduler_service.store.notify.notifier import Notifier

ATTEMPTS_MAX = 12
PAUSE_SECONDS_MAX = 0.05

Answer = TypeVar("Answer")


class UnitRunner:
    """Opens transactions on the pool. One per store."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        notifier: Notifier,
        fair_share: FairShare,
        committed: Callable[[UnitOfWork], None],
    ) -> None:
        """Nothing is opened before the first run; `committed` is told of what came of each."""
        self.pool = pool
        self._committed = committed
        self._notifier = notifier
        self._fair_share = fair_share

    async def run(self, work: Callable[[UnitOfWork], Awaitable[Answer]]) -> Answer:
        """The answer of `work`, committed. `work` may be called again from the start: when the
        rows it found name others to lock, or when Postgres asks for a retry.
        """
        return await self._repeated(self._once, work)

    async def run_statement(self, work: Callable[[UnitOfWork], Awaitable[Answer]]) -> Answer:
        """As `run`, for work of one statement that locks and saves nothing else: it is a
        transaction of its own, without the round trips of BEGIN and COMMIT.
        """
        return await self._repeated(self._statement, work)

    async def _repeated(
        self,
        once: Callable[[Callable[[UnitOfWork], Awaitable[Answer]], Needs], Awaitable[Answer]],
        work: Callable[[UnitOfWork], Awaitable[Answer]],
    ) -> Answer:
        extra = Needs()
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await once(work, extra)
            except MustLockMore as more:
                extra |= more.needs
            except TRY_AGAIN:
                if attempt == ATTEMPTS_MAX:
                    raise
                await asyncio.sleep(random.uniform(0, PAUSE_SECONDS_MAX))  # noqa: S311
        raise TimeoutError(f"the rows to lock kept growing for {ATTEMPTS_MAX} attempts")

    async def _once(self, work: Callable[[UnitOfWork], Awaitable[Answer]], extra: Needs) -> Answer:
        async with self.pool.acquire() as conn, conn.transaction():
            tx = UnitOfWork(conn, self._fair_share.stamp, extra)
            answer = await work(tx)
            await tx.save()
        self._tell(tx)
        return answer

    async def _statement(
        self, work: Callable[[UnitOfWork], Awaitable[Answer]], extra: Needs
    ) -> Answer:
        async with self.pool.acquire() as conn:
            tx = UnitOfWork(conn, self._fair_share.stamp, extra)
            answer = await work(tx)
        self._tell(tx)
        return answer

    def _tell(self, tx: UnitOfWork) -> None:
        self._notifier.wake(tx.woken_types, tx.touched)
        self._committed(tx)
