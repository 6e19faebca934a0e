"""A job that no Claim can take, because its row violates a constraint, holds up no other."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.set_aside import Step
from scheduler_service.store.core.statements import statement
from scheduler_service.store.sweep.set_asides import DueRow, SetAsides

# Set aside for one batch of Claims before its callers get the error: they ask again.
BROKEN_JOBS_MAX = 20
# "Failing row contains (7, ...": the words are of the server's language, the row is not.
_FIRST_COLUMN = re.compile(r"\((\d+),")

Answer = TypeVar("Answer")


class BrokenJobs:
    """Takes jobs that cannot be claimed from the queue, each for a while, longer each time."""

    def __init__(self, units: UnitRunner, set_asides: SetAsides) -> None:
        """`set_asides` warns of each job, with its number."""
        self._units = units
        self._set_asides = set_asides

    async def claim_past(self, claim: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `claim` answers once no broken job is in its way. It is called again after each, so
        it must give again what a call before has claimed.

        Raises the violation if its job is unknown or still in the way, or after too many.
        """
        for _ in range(BROKEN_JOBS_MAX):
            try:
                return await claim()
            except asyncpg.IntegrityConstraintViolationError as error:
                if not await self._set_aside(job_of(error), repr(error)):
                    raise
        return await claim()

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


def job_of(error: asyncpg.IntegrityConstraintViolationError) -> int | None:
    """The number of the job whose row violates a constraint; None if the error names none."""
    if error.table_name != "jobs":
        return None
    found = _FIRST_COLUMN.search(error.detail or "")
    return int(found.group(1)) if found else None
