"""What must run after a job, since it may have written what others are made of."""

from scheduler_service.jobs.catalogue import (
    MODULE_OF_TYPE,
    READERS_OF_REFERENCE,
    READERS_OF_TOTALS,
)
from scheduler_service.jobs.job_types import MODULES_THAT_READ_TOTALS
from scheduler_service.jobs.scope import Scope


def follow_ups(
    job_type: str, scope: Scope, provisioned_years: tuple[int, ...]
) -> tuple[tuple[str, Scope], ...]:
    """What must run after a run of this type may have written its whole scope.

    The scheduler releases those that a claim which ended well did not stage, and all of them
    when a claim ended in doubt. Over (job type, scope) they form an acyclic graph: ingest, then
    recalculation, then aggregation, then recalculation and aggregation of what is made of totals.
    """
    match job_type:
        case "csv_ingest" | "api_ingest" | "upload_withdrawal" | "factor_ingest":
            return tuple(("emission_recalc", scope.narrowed(t)) for t in scope.types())
        case "reference_ingest":
            return _readers_in_every_year(scope, provisioned_years)
        case "emission_recalc":
            return (("aggregation", scope.narrowed(None)),)
        case "aggregation" if scope.module not in MODULES_THAT_READ_TOTALS:
            return tuple(
                ("emission_recalc", Scope(scope.tenant, MODULE_OF_TYPE[one], one, scope.year))
                for one in READERS_OF_TOTALS
            )
        case _:
            return ()


def follows_data_only(job_type: str) -> bool:
    """Whether its follow-ups are only for types that ever had data in the year: what comes later
    is computed with what it has written anyway.
    """
    return job_type in ("reference_ingest", "aggregation")


def _readers_in_every_year(
    scope: Scope, provisioned_years: tuple[int, ...]
) -> tuple[tuple[str, Scope], ...]:
    readers = READERS_OF_REFERENCE.get(scope.reference_kind or "", ())
    return tuple(
        ("emission_recalc", Scope(scope.tenant, MODULE_OF_TYPE[reader], reader, year))
        for year in provisioned_years
        for reader in readers
    )
