"""Adds the job types of a deployment to those of the product."""

from carbonline.serving.declared_job_types import DeclaredJobType, DeclaredJobTypes
from scheduler_service.jobs.job_type_keys import PayloadKey, add_keys
from scheduler_service.jobs.job_types import (
    OWN_JOB_TYPES,
    ExclusiveConfig,
    JobType,
    add_job_types,
)


def declare_job_types(declared: DeclaredJobTypes) -> None:
    """Adds them for the life of the process. Call it once, before anything is served.

    They write no ledger scope, so nothing follows a claim of theirs that ends in doubt, and they
    have no slot and join nobody.
    """
    add_job_types([_row(one) for one in declared.types])
    for one in declared.types:
        keys = [
            PayloadKey(key.name, key.meaning, required=key.required, values=key.values)
            for key in one.payload
        ]
        add_keys(one.name, keys, one.stats)


def hidden_from_locks(declared: DeclaredJobTypes) -> list[str]:
    """What is wrong with types whose jobs chain what changes a year, if no lock of the year finds
    them while they live: LockPeriod would lock the year, and their children would change it.
    """
    changing = {
        name
        for name, row in OWN_JOB_TYPES.items()
        if row.writes_data and (row.needs_provisioned_year or row.provisions_year)
    }
    changing |= {name for name, row in OWN_JOB_TYPES.items() if row.children & changing}
    faults = []
    for one in declared.types:
        chained = [child for child in one.children if child in changing]
        if not chained:
            continue
        # One that chains this one later is asked the same.
        changing.add(one.name)
        if lacking := _lacking(one):
            faults.append(
                f"job_type {one.name}: it chains {chained[0]}, which changes a year, so that a "
                f"lock of the year must find its jobs: {lacking}"
            )
    return faults


def _lacking(one: DeclaredJobType) -> str:
    if not one.needs_provisioned_year:
        return 'set needs = ["year"] and needs_provisioned_year = true'
    if one.one_at_a_time is None:
        return 'set one_at_a_time, such as one_at_a_time = ["year"]'
    if "unit" in one.one_at_a_time:
        return "leave unit out of one_at_a_time"
    return ""


def _row(one: DeclaredJobType) -> JobType:
    exclusive = None
    if one.one_at_a_time is not None:
        # A family of its own: no type of a deployment can hold up one of the product.
        exclusive = ExclusiveConfig(f"own:{one.name}", one.one_at_a_time)
    return JobType(
        one.name,
        needs=frozenset(one.needs),
        takes=frozenset(one.takes),
        needs_provisioned_year=one.needs_provisioned_year,
        attempts_max=one.attempts_max,
        exclusive=exclusive,
        children=frozenset(one.children),
        may_be_scheduled=one.may_be_scheduled,
    )
