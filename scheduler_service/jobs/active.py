"""Where jobs of a module and year are found: by their exclusive keys, and by their slots."""

from collections.abc import Iterable, Sequence

from scheduler_service.jobs.catalogue import READERS_OF_REFERENCE, TYPES_OF_MODULE
from scheduler_service.jobs.job_types import JOB_TYPES, JobType
from scheduler_service.jobs.scope import Scope


def keys_of_year(tenant: str, year: int, modules: Iterable[int]) -> list[str]:
    """The exclusive keys of all jobs that work on these modules in the year, or on no module."""
    rows = JOB_TYPES.values()
    keys = {row.exclusive_key(scope) for scope in _scopes(tenant, year, modules) for row in rows}
    return sorted(filter(None, keys))


def slots_of_year(tenant: str, year: int, modules: Sequence[int]) -> list[str]:
    """The slots of these modules in the year; without modules, all slots of the year, and those
    of no year.
    """
    chosen: Sequence[int | None] = modules or (None, *TYPES_OF_MODULE)
    slots = {
        row.slot_key(scope)
        for row in JOB_TYPES.values()
        for module in chosen
        if (module is not None) == ("module" in row.needs)
        for scope in _slot_scopes(row, tenant, year, module)
    }
    return sorted(filter(None, slots))


def _slot_scopes(row: JobType, tenant: str, year: int, module: int | None) -> list[Scope]:
    types: Sequence[int | None] = (None,)
    if module is not None and "data_entry_type" in row.needs:
        types = TYPES_OF_MODULE[module]
    kinds = tuple(READERS_OF_REFERENCE) if "reference_kind" in row.needs else (None,)
    of_year = year if "year" in row.needs else None
    return [Scope(tenant, module, t, of_year, None, kind) for t in types for kind in kinds]


def _scopes(tenant: str, year: int, modules: Iterable[int]) -> list[Scope]:
    wide = [Scope(tenant, None, None, year, None, kind) for kind in (None, *READERS_OF_REFERENCE)]
    return wide + [
        Scope(tenant, module, data_entry_type, year)
        for module in modules
        for data_entry_type in (None, *TYPES_OF_MODULE[module])
    ]
