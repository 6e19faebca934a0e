"""Which jobs keep a year from being locked: those that may still change its numbers."""

from scheduler_service.jobs.catalogue import READERS_OF_REFERENCE, TYPES_OF_MODULE
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.scope import Scope


def keys_of_year(tenant: str, year: int) -> list[str]:
    """The exclusive keys of all jobs that may change the year's data or compute from them.

    Keys without a year are among them: of places, which every year reads, and of units.
    """
    scopes = [
        Scope(tenant, module, data_entry_type, year, None, kind)
        for module, types in TYPES_OF_MODULE.items()
        for data_entry_type in types
        for kind in READERS_OF_REFERENCE
    ]
    keys = {row.exclusive_key(scope) for row in JOB_TYPES.values() for scope in scopes}
    return sorted(filter(None, keys))


def keeps_busy(job_year: int | None, job_type: str, year: int) -> bool:
    """Whether a live job with one of those keys may change this year.

    Places may change every year; units do so in the year that they are loaded for. A unit that is
    removed was used nowhere. What a type of another release changes is not known.
    """
    if job_year is None:
        return job_type not in JOB_TYPES or "reference_kind" in JOB_TYPES[job_type].needs
    return job_year == year
