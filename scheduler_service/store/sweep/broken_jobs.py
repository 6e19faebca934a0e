"""A job that no Claim can take, because its row violates a constraint, holds up no other."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.store.claim.claim_jobs import SPARE_HEADS
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.set_aside import Step
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.sweep.set_asides import DueRow, SetAsides

# Set aside one by one, as errors name them, before the heads of the queues are tried.
NAMED_JOBS_MAX = 20
# How often the heads of the queues are tried before the callers get the error: they ask again.
LOOKS_MAX = 3
# Tried for one batch of Claims.
TRIED_JOBS_MAX = 1_000
NOBODY = UUID(int=0)
# "Failing row contains (7, ...": the words are of the server's language, the row is not.
_FIRST_COLUMN = re.compile(r"\((\d+),")

VIOLATED = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)
Violation: TypeAlias = asyncpg.IntegrityConstraintViolationError | asyncpg.DataError
Answer = TypeVar("Answer")


class _HeadRow(Row):
    __slots__ = ()
    job_id: int


class BrokenJobs:
    """Takes jobs that cannot be claimed from the queue, each for a while, longer each time."""

    def __init__(self, units: UnitRunner, set_asides: SetAsides) -> None:
        """`set_asides` warns of each job, with its number."""
        self._units = units
        self._set_asides = set_asides

    async def claim_past(
        self, requests: Sequence[ClaimRequest], claim: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """What `claim` answers to the requests once no broken job is in its way. It is called again
        after each, so it must give again what a call before has claimed.

        Where a violation names no job, or after too many, what the requests may meet is tried, half
        by half. Raises the violation if that finds nothing, or too often something else.
        """
        looks = named = 0
        while True:
            try:
                return await claim()
            except VIOLATED as error:
                named += 1
                if named <= NAMED_JOBS_MAX and await self._set_aside(job_of(error), repr(error)):
                    continue
                looks += 1
                if looks > LOOKS_MAX or not await self._set_aside_heads(requests):
                    raise

    async def _set_aside_heads(self, requests: Sequence[ClaimRequest]) -> bool:
        """Whether any job that these requests may meet could not be claimed, and is set aside."""
        wanted: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
        for request in requests:
            asked = request.job_types, request.tenants
            wanted[asked] = wanted.get(asked, 0) + request.max_jobs
        heads: dict[int, None] = {}
        async with self._units.pool.acquire() as conn:
            for (job_types, tenants), jobs in wanted.items():
                rows = await statement("heads_of_queues").rows(
                    conn,
                    _HeadRow,
                    job_types=list(job_types),
                    tenants=list(tenants),
                    heads=2 * jobs + SPARE_HEADS,
                )
                heads.update((row.job_id, None) for row in rows)
        broken = await self._violated_by(list(heads)[:TRIED_JOBS_MAX])
        for job_id, reason in broken.items():
            await self._set_aside(job_id, reason)
        return bool(broken)

    async def _violated_by(self, job_ids: Sequence[int]) -> Mapping[int, str]:
        """Those that cannot be claimed even alone, and why."""
        broken: dict[int, str] = {}
        parts = [job_ids] if job_ids else []
        while parts:
            part = parts.pop()
            error = await self._violation(part)
            if error is None:
                continue
            if len(part) == 1:
                broken[part[0]] = repr(error)
            else:
                parts += [part[: len(part) // 2], part[len(part) // 2 :]]
        return broken

    async def _violation(self, job_ids: Sequence[int]) -> Violation | None:
        """What a Claim of these jobs together violates. Nothing of it stays."""
        async with self._units.pool.acquire() as conn:
            tried = conn.transaction()
            await tried.start()
            try:
                await statement("try_claims").run(conn, job_ids=job_ids, worker_id=NOBODY)
            except VIOLATED as error:
                return error
            finally:
                await tried.rollback()
        return None

    async def _set_aside(self, job_id: int | None, reason: str) -> bool:
        """Whether it is out of the queue: here, or by somebody who met it at the same time."""
        if job_id is None:
            return False
        async with self._units.pool.acquire() as conn:
            queued: Sequence[DueRow] = await statement("queued_job").rows(
                conn, DueRow, job_id=job_id
            )
        await self._set_asides.put(Step.CLAIM, queued, [reason] * len(queued))
        async with self._units.pool.acquire() as conn:
            await statement("unqueue_job").run(conn, job_id=job_id)
            return not await statement("queued_job").rows(conn, DueRow, job_id=job_id)


def job_of(error: Violation) -> int | None:
    """The number of the job whose row violates a constraint; None if the error names none."""
    if error.table_name != "jobs":
        return None
    found = _FIRST_COLUMN.search(error.detail or "")
    return int(found.group(1)) if found else None
