"""Finishes of what nobody has locked."""

from collections.abc import Sequence
from typing import TypeAlias

from scheduler_service.jobs.requests import FinishAnswer, FinishRequest, Refused
from scheduler_service.store.core.locked_jobs import locked_jobs
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.unlocked import LockedElsewhere, Unlocked
from scheduler_service.store.finish.finish_jobs import finish_jobs

Finished: TypeAlias = FinishAnswer | Refused | LockedElsewhere


def finishes_unlocked(units: UnitRunner) -> Unlocked[FinishRequest, FinishAnswer | Refused]:
    """Batches of Finishes, each without those whose job, pipeline or key somebody has locked."""

    async def together(requests: Sequence[FinishRequest]) -> list[FinishAnswer | Refused]:
        return await units.run_shared(lambda tx: finish_jobs(tx, requests))

    async def locked(requests: Sequence[FinishRequest]) -> set[int]:
        job_ids = await locked_jobs(units, {request.job_id for request in requests})
        return {n for n, request in enumerate(requests) if request.job_id in job_ids}

    return Unlocked(together, locked)
