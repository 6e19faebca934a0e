"""Which step follows which: staged under the claim, released when it ends without error."""

from collections.abc import Sequence

from worker_service.carbon.catalogue import MODULES, module_of
from worker_service.carbon.declarations import DataEntryType
from worker_service.ledger.entry_sets import years_with_entries
from worker_service.ledger.pool import Ledger
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.run import Run
from worker_service.mechanics.scheduler import ChildRequest

EMISSION_RECALC = "emission_recalc"
AGGREGATION = "aggregation"


async def chain_follow_ups(run: Run, ledger: Ledger) -> None:
    """Stage the jobs that must follow this one. Raises ClaimLost when the claim is stale."""
    children = await children_of(run.job, ledger)
    if children:
        await run.chain(children)


async def children_of(job: ClaimedJob, ledger: Ledger) -> Sequence[ChildRequest]:
    """The jobs that must follow a successful run of this job.

    | job | followed by |
    |---|---|
    | csv_ingest, api_ingest, upload_withdrawal, factor_ingest | the recalculation of its type |
    | reference_ingest | recalculations of the types that read it, in years with entries |
    | emission_recalc | the aggregation of its module |
    | unit_sync, aggregation | nothing |
    """
    match job.job_type:
        case "csv_ingest" | "api_ingest" | "upload_withdrawal" | "factor_ingest":
            return [_recalculation(job.data_entry_type or 0)]
        case "reference_ingest":
            return [
                _recalculation(reader, year)
                for reader in readers_of(job.reference_kind or "")
                for year in await years_with_entries(ledger, job.tenant, reader)
            ]
        case "emission_recalc":
            return [ChildRequest("aggregation", AGGREGATION)]
        case _:
            return []


def readers_of(reference_kind: str) -> list[int]:
    """Numbers of the data-entry types whose formulas read this kind of reference data."""
    return [
        known.id
        for module in MODULES
        for known in module.types
        if isinstance(known, DataEntryType) and reference_kind in known.references
    ]


def _recalculation(data_entry_type: int, year: int | None = None) -> ChildRequest:
    key = f"recalc:{data_entry_type}" + (f":{year}" if year is not None else "")
    module = module_of(data_entry_type).id
    return ChildRequest(key, EMISSION_RECALC, data_entry_type, module, year)
