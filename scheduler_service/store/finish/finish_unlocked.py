"""Finishes what nobody has locked: who waits for a lock keeps nobody else waiting."""

from collections.abc import Sequence
from time import monotonic
from typing import TypeAlias

import asyncpg

from scheduler_service.jobs.requests import FinishAnswer, FinishRequest, Refused
from scheduler_service.store.core.locked_jobs import locked_jobs
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.finish.finish_jobs import finish_jobs

# For so long after a batch had to wait, each asks first what is locked.
CROWDED_SECONDS = 1.0


class LockedElsewhere(asyncpg.LockNotAvailableError):
    """Somebody else has locked what the end of this job needs: ask again."""


Finished: TypeAlias = FinishAnswer | Refused | LockedElsewhere


class FinishUnlocked:
    """Batches of Finishes, each without what is locked. One per store."""

    def __init__(self, units: UnitRunner) -> None:
        """Nothing is known to be locked yet."""
        self._units = units
        self._crowded_until = 0.0

    async def finish(self, requests: Sequence[FinishRequest]) -> list[Finished]:
        """One answer per request, in order: LockedElsewhere for those that were left out.

        Raises LockNotAvailableError if the others had to wait all the same: ask for fewer at once.
        """
        if monotonic() > self._crowded_until:
            try:
                return await self._together(requests)
            except asyncpg.LockNotAvailableError:
                self._crowded_until = monotonic() + CROWDED_SECONDS
        locked = await locked_jobs(self._units, {request.job_id for request in requests})
        free = [request for request in requests if request.job_id not in locked]
        answers = iter(await self._together(free) if free else ())
        return [
            LockedElsewhere(f"job {request.job_id} is locked")
            if request.job_id in locked
            else next(answers)
            for request in requests
        ]

    async def _together(self, requests: Sequence[FinishRequest]) -> list[Finished]:
        return [*await self._units.run_shared(lambda tx: finish_jobs(tx, requests))]
