"""Releases of what nobody has locked."""

from collections.abc import Sequence
from typing import TypeAlias

from scheduler_service.jobs.requests import Release
from scheduler_service.store.core.locked_jobs import locked_jobs
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.unlocked import LockedElsewhere, Unlocked
from scheduler_service.store.release.release_jobs import release_jobs

Released: TypeAlias = bool | LockedElsewhere


def releases_unlocked(units: UnitRunner) -> Unlocked[Release, bool]:
    """Batches of Releases, each without those whose job, pipeline or key somebody has locked."""

    async def together(releases: Sequence[Release]) -> list[bool]:
        return await units.run_shared(lambda tx: release_jobs(tx, releases))

    async def locked(releases: Sequence[Release]) -> set[int]:
        job_ids = await locked_jobs(units, {release.job_id for release in releases})
        return {n for n, release in enumerate(releases) if release.job_id in job_ids}

    return Unlocked(together, locked)
