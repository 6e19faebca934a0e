"""What fails in a sweep delays only itself: it is found, and set aside for longer each time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import TypeVar

from carbonline.gatherer import PAUSE_SECONDS
from carbonline.postgres.errors import ANY_DATABASE_ERROR, SESSION_LOST, fails_everything, is_locked
from scheduler_service.jobs.schedules import TickDone
from scheduler_service.store.core.gather import PATIENCE_SECONDS
from scheduler_service.store.core.locked_jobs import locked_jobs
from scheduler_service.store.core.pool import STATEMENT_TIMEOUT_SECONDS
from scheduler_service.store.core.removed import Removed
from scheduler_service.store.core.run_units import SHARED_STATEMENT_SECONDS, UnitRunner
from scheduler_service.store.core.set_aside import SetAside, Step
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork

LONGEST_SECONDS = 300.0
# Longer than the longest pause: only what has been tried since, and did not fail, is forgotten.
KEPT_SECONDS = 3600.0
REASON_CHARACTERS_MAX = 500
# What the sweep waits for: while these are at work, a sweep is.
OF_THE_SWEEP = frozenset({Step.EXPIRE, Step.PROMOTE, Step.SCHEDULE, Step.BACKSTOP})


class DueRow(Row):
    """What a sweep works on: the `item` by which it is set aside, and the job that it is about."""

    __slots__ = ()
    item: str
    job_id: int | None


Due = TypeVar("Due", bound=DueRow)
Done = TypeVar("Done", int, Removed, tuple[TickDone, ...])


class SetAsides:
    """Does the work of a sweep's step for many rows in one transaction."""

    def __init__(
        self,
        units: UnitRunner,
        first_seconds: float,
        told: Callable[[Sequence[SetAside]], None],
    ) -> None:
        """The first pause takes `first_seconds`. `told` hears of whatever is set aside."""
        self._units = units
        self._first_seconds = first_seconds
        self._told = told
        # When a sweep of this scheduler was last recorded, by PostgreSQL's clock.
        self.swept_at: datetime | None = None

    async def do_each(
        self,
        step: Step,
        rows: Sequence[Due],
        work: Callable[[UnitOfWork, Sequence[Due]], Awaitable[Done]],
        nothing: Done,
    ) -> Done:
        """`nothing`, plus what `work` answers in each transaction that committed. All rows share a
        transaction if that succeeds, and else smaller ones, until each row that fails is alone.
        That one is set aside. What is locked is left to the next sweep.

        Raises what says that the database answers nobody; after a row has ended its session, only
        if that lasts.
        """
        done, failed, patient_until = nothing, list[tuple[Due, Exception]](), 0.0
        parts = [rows] if rows else []
        while parts:
            part = parts.pop()
            try:
                done += await self._together(part, work)
            except Exception as error:
                if fails_everything(error):
                    if monotonic() > patient_until:
                        raise
                    parts.append(part)
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                if isinstance(error, SESSION_LOST):
                    patient_until = monotonic() + PATIENCE_SECONDS
                free = await self._free(part) if is_locked(error) else part
                if len(free) < len(part):
                    parts += [free] if free else []
                elif len(part) == 1:
                    failed.append((part[0], error))
                else:
                    parts += [part[: len(part) // 2], part[len(part) // 2 :]]
            # A database that has ended a session does not answer for a while.
            if step in OF_THE_SWEEP and monotonic() > patient_until:
                await self._record_work()
        await self.put(step, [row for row, _ in failed], [repr(error) for _, error in failed])
        return done

    async def put(self, step: Step, rows: Sequence[DueRow], reasons: Sequence[str]) -> None:
        """Set these aside, each for its reason."""
        if not rows:
            return
        async with self._units.pool.acquire() as conn:
            put = await statement("set_aside").rows(
                conn,
                _SetAsideRow,
                step=step.value,
                items=[row.item for row in rows],
                job_ids=[row.job_id for row in rows],
                reasons=[reason[:REASON_CHARACTERS_MAX] for reason in reasons],
                first_seconds=self._first_seconds,
                longest_seconds=LONGEST_SECONDS,
            )
        self._told([SetAside(step, p.item, p.job_id, p.failures, p.reason, p.seconds) for p in put])

    async def record(self, conn: Connection) -> None:
        """This scheduler sweeps now."""
        (row,) = await statement("record_sweep").rows(conn, _SweptRow)
        self.swept_at = row.last_run_at

    async def _record_work(self) -> None:
        """Whoever is long at work must not look like an outage to the next sweep. Where that
        fails, what has been done is told all the same; the next statement says what is wrong.
        """
        with suppress(*ANY_DATABASE_ERROR):
            async with self._units.pool.acquire() as conn:
                await self.record(conn)

    async def _together(
        self, rows: Sequence[Due], work: Callable[[UnitOfWork, Sequence[Due]], Awaitable[Done]]
    ) -> Done:
        seconds = STATEMENT_TIMEOUT_SECONDS if len(rows) == 1 else SHARED_STATEMENT_SECONDS
        return await self._units.run_shared(lambda tx: work(tx, rows), seconds)

    async def _free(self, rows: Sequence[Due]) -> Sequence[Due]:
        """Those whose jobs nobody has locked."""
        job_ids = {row.job_id for row in rows if row.job_id is not None}
        locked = await locked_jobs(self._units, job_ids)
        return [row for row in rows if row.job_id not in locked]


class _SweptRow(Row):
    __slots__ = ()
    last_run_at: datetime


class _SetAsideRow(Row):
    __slots__ = ()
    item: str
    job_id: int | None
    failures: int
    reason: str
    seconds: float
