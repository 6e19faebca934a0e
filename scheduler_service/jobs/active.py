"""Where jobs of a module and year are found: by their exclusive keys, and by their slots."""

from collections.abc import Iterable

from scheduler_service.jobs.catalogue import READERS_OF_REFERENCE, TYPES_OF_MODULE
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.scope import Scope


def keys_of_year(tenant: str, year: int, modules: Iterable[int]) -> list[str]:
    """The exclusive keys of all jobs that work on these modules in the year, or on no module."""
    rows = JOB_TYPES.values()
    keys = {row.exclusive_key(scope) for scope in _scopes(tenant, year, modules) for row in rows}
    return sorted(filter(None, keys))


def slots_of_year(tenant: str, year: int, modules: Iterable[int]) -> list[str]:
    """The slots of these modules in the year."""
    rows = [row for row in JOB_TYPES.values() if "module" in row.needs]
    slots = {
        row.slot_key(scope)
        for scope in _scopes(tenant, year, modules)
        for row in rows
        if scope.module is not None
        and ("data_entry_type" in row.needs) == (scope.data_entry_type is not None)
    }
    return sorted(filter(None, slots))


def _scopes(tenant: str, year: int, modules: Iterable[int]) -> list[Scope]:
    wide = [Scope(tenant, None, None, year, None, kind) for kind in (None, *READERS_OF_REFERENCE)]
    return wide + [
        Scope(tenant, module, data_entry_type, year)
        for module in modules
        for data_entry_type in (None, *TYPES_OF_MODULE[module])
    ]
