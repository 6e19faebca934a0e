"""Adds the job types of a deployment to those of the product."""

from carbonline.serving.declared_job_types import DeclaredJobType, DeclaredJobTypes
from scheduler_service.jobs.job_type_keys import PayloadKey, add_keys
from scheduler_service.jobs.job_types import ExclusiveConfig, JobType, add_job_types


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
