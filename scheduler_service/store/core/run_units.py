"""Runs a transaction until its locks suffice; wakes watchers and workers after its commit."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import asyncpg

from carbonline.postgres.errors import TRY_AGAIN
from scheduler_service.store.core.statements import Connection
from scheduler_service.store.core.unit_of_work import MustLockMore, Needs, UnitOfWork
from scheduler_service.store.notify.notifier import Notifier

ATTEMPTS_MAX = 12
PAUSE_SECONDS_MAX = 0.05
# Where many items share a transaction, one that is locked or takes long is soon known.
SHARED_LOCK_SECONDS = 0.25
SHARED_STATEMENT_SECONDS = 3.0

Answer = TypeVar("Answer")
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """For how long a transaction waits at each lock, and for each statement: by default for as
    long as its session does.
    """

    lock_seconds: float
    statement_seconds: float | None = None

    def set_local(self) -> str:
        """The statements that set it."""
        lock = f"SET LOCAL lock_timeout = '{self.lock_seconds * 1000:.0f}ms'"
        if self.statement_seconds is None:
            return lock
        return f"{lock}; SET LOCAL statement_timeout = '{self.statement_seconds * 1000:.0f}ms'"


class LocksKeptGrowing(asyncpg.LockNotAvailableError):
    """A transaction was started over too often: each time it had to lock more, or was in the way
    of others.
    """


class UnitRunner:
    """Opens transactions on the pool. One per store."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        notifier: Notifier,
        committed: Callable[[UnitOfWork], None],
    ) -> None:
        """Nothing is opened before the first run; `committed` is told of what came of each."""
        self.pool = pool
        self._committed = committed
        self._notifier = notifier

    async def run(self, work: Callable[[UnitOfWork], Awaitable[Answer]]) -> Answer:
        """The answer of `work`, committed. `work` may be called again from the start: when the
        rows it found name others to lock, or when Postgres asks for a retry.
        """
        return await self._repeated(partial(self._once, work))

    async def run_unless_locked(
        self,
        work: Callable[[UnitOfWork], Awaitable[Answer]],
        read: Callable[[Connection, Answer], Awaitable[Read]],
        lock_seconds: float,
    ) -> Read:
        """As `run`, but it waits for `lock_seconds` at each lock, and then raises
        LockNotAvailableError. The answer is what `read` finds once everything is saved, before
        the commit: where it cannot be read, nothing was done.
        """

        async def once(extra: Needs) -> Read:
            async with self._unit(extra, Timeouts(lock_seconds)) as tx:
                answer = await work(tx)
                await tx.save()
                return await read(tx.conn, answer)

        return await self._repeated(once, waits_again=False)

    async def run_shared(
        self,
        work: Callable[[UnitOfWork], Awaitable[Answer]],
        statement_seconds: float | None = None,
    ) -> Answer:
        """As `run`, for work that many items share and each could have for itself: it waits for
        SHARED_LOCK_SECONDS at each lock, and is not repeated then, but raises
        LockNotAvailableError; and QueryCanceledError after `statement_seconds`, by
        default SHARED_STATEMENT_SECONDS.
        """
        seconds = SHARED_STATEMENT_SECONDS if statement_seconds is None else statement_seconds
        once = partial(self._once, work, timeouts=Timeouts(SHARED_LOCK_SECONDS, seconds))
        return await self._repeated(once, waits_again=False)

    async def run_statement(self, work: Callable[[UnitOfWork], Awaitable[Answer]]) -> Answer:
        """As `run`, for work of one statement that locks and saves nothing else: it is a
        transaction of its own, without the round trips of BEGIN and COMMIT.
        """
        return await self._repeated(partial(self._statement, work))

    async def _repeated(
        self, once: Callable[[Needs], Awaitable[Answer]], *, waits_again: bool = True
    ) -> Answer:
        extra = Needs()
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await once(extra)
            except MustLockMore as more:
                extra |= more.needs
            except TRY_AGAIN as error:
                was_locked = isinstance(error, asyncpg.LockNotAvailableError)
                if attempt == ATTEMPTS_MAX or (was_locked and not waits_again):
                    raise
                await asyncio.sleep(random.uniform(0, PAUSE_SECONDS_MAX))  # noqa: S311
        raise LocksKeptGrowing(f"the rows to lock kept growing for {ATTEMPTS_MAX} attempts")

    async def _once(
        self,
        work: Callable[[UnitOfWork], Awaitable[Answer]],
        extra: Needs,
        timeouts: Timeouts | None = None,
    ) -> Answer:
        async with self._unit(extra, timeouts) as tx:
            answer = await work(tx)
            await tx.save()
        return answer

    @asynccontextmanager
    async def _unit(
        self, extra: Needs, timeouts: Timeouts | None = None
    ) -> AsyncIterator[UnitOfWork]:
        async with self.pool.acquire() as conn, _transaction(conn, timeouts):
            tx = UnitOfWork(conn, extra)
            yield tx
        self._publish(tx)

    async def _statement(
        self, work: Callable[[UnitOfWork], Awaitable[Answer]], extra: Needs
    ) -> Answer:
        async with self.pool.acquire() as conn:
            tx = UnitOfWork(conn, extra)
            answer = await work(tx)
        self._publish(tx)
        return answer

    def _publish(self, tx: UnitOfWork) -> None:
        self._notifier.wake(tx.woken_types, tx.touched, tx.inserted)
        self._committed(tx)


@asynccontextmanager
async def _transaction(conn: Connection, timeouts: Timeouts | None) -> AsyncIterator[None]:
    """A transaction with the session's timeouts, or with shorter ones, which come with its BEGIN
    in one round trip.
    """
    if timeouts is None:
        async with conn.transaction():
            yield
        return
    await conn.execute(f"BEGIN; {timeouts.set_local()}")
    try:
        yield
    except BaseException:
        # Of a connection that is lost the pool takes care, and has taken it back already.
        with suppress(asyncpg.InterfaceError):
            await conn.execute("ROLLBACK")
        raise
    await conn.execute("COMMIT")
