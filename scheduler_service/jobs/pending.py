"""Which jobs may still change what a year's totals are computed from."""

from collections.abc import Collection, Iterable, Iterator

from scheduler_service.jobs.catalogue import READERS_OF_REFERENCE, TYPES_OF_MODULE
from scheduler_service.jobs.job_types import (
    JOB_TYPES,
    divided_into,
    follow_ups,
    follows_data_only,
)
from scheduler_service.jobs.scope import Scope

RECALCULATION = "emission_recalc"


def keys_of_changes(tenant: str, year: int) -> list[str]:
    """The exclusive keys of all jobs that a recalculation of the year may follow."""
    keys = {
        row.exclusive_key(Scope(tenant, module, None, year, None, kind))
        for row in JOB_TYPES.values()
        if RECALCULATION in row.children or divided_into(row.name)
        for module in TYPES_OF_MODULE
        for kind in READERS_OF_REFERENCE
    }
    return sorted(filter(None, keys))


def pending_types(
    jobs: Iterable[tuple[str, Scope]], year: int, with_data: Collection[int]
) -> frozenset[int]:
    """The data-entry types whose data in the year these jobs, not over yet, may change.

    Reference data are read by every year, and totals by facilities. They are a change only of types
    `with_data` in this one. A job of a type that is not known may change all types of its scope.
    """
    return frozenset(
        data_entry_type
        for name, scope in jobs
        for data_entry_type in (
            _changed(name, scope, year, with_data) if name in JOB_TYPES else scope.types()
        )
    )


def _changed(name: str, scope: Scope, year: int, with_data: Collection[int]) -> Iterator[int]:
    for job_type in (name, *divided_into(name)):
        for _, of in follow_ups(job_type, scope, (year,)):
            changed = of.data_entry_type
            if changed is not None and (changed in with_data or not follows_data_only(job_type)):
                yield changed
