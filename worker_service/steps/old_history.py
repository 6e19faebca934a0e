"""Forgets what counted long ago: summaries of uploads and of emissions, versions of factors, and
how files were read of which nothing is left.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from structlog.typing import FilteringBoundLogger

from worker_service.ledger.load_mappings import delete_load_mappings
from worker_service.ledger.old_summaries import (
    EmissionsPlace,
    OldEntrySet,
    delete_emission_sets,
    delete_entry_sets,
    old_entry_sets,
    tenants_of_ledger,
)
from worker_service.ledger.old_versions import VersionPlace, delete_versions
from worker_service.ledger.pool import Ledger
from worker_service.mechanics.scheduler import SchedulerRefused
from worker_service.steps.deletions import Deleted, Kind, nobody_counts

# Asked for first, whatever is old: of another institution's nothing is told, whichever it is.
ANY_PIPELINE = 1

# Takes a tenant and at most 1,000 pipelines; returns those that exist.
KeptPipelines: TypeAlias = Callable[[str, Sequence[int]], Awaitable[Collection[int]]]


@dataclass(frozen=True, slots=True)
class HistoryRetention:
    """How long it is told what once counted, and who knows which pipelines exist: their lists tell
    what they brought. It raises SchedulerUnreachable or SchedulerRefused.
    """

    kept_seconds: float
    kept_pipelines: KeptPipelines


@dataclass(slots=True)
class Forgotten:
    """How many rows were deleted."""

    entry_sets: int = 0
    emission_sets: int = 0
    factor_versions: int = 0
    load_mappings: int = 0

    def counts(self) -> Mapping[Kind, int]:
        """The same by kind."""
        return {
            "entry_sets": self.entry_sets,
            "emission_sets": self.emission_sets,
            "factor_versions": self.factor_versions,
            "load_mappings": self.load_mappings,
        }


async def forget_history(
    ledger: Ledger,
    retention: HistoryRetention,
    log: FilteringBoundLogger,
    deleted: Deleted = nobody_counts,
) -> Forgotten:
    """Delete what is old, in bounded rounds until nothing is left, of all tenants of this worker.

    What counts stays, and so does what an existing pipeline lists, each version of a factor that an
    emission names, and each mapping of a load of which something is left. `deleted` is told how
    many. Raises DatabaseUnavailable or SchedulerUnreachable.
    """
    forgotten = Forgotten()
    try:
        for tenant in await tenants_of_ledger(ledger):
            try:
                await retention.kept_pipelines(tenant, [ANY_PIPELINE])
                await _forget_entries(ledger, tenant, retention, forgotten)
            except SchedulerRefused as refused:
                # Another institution's, of which this worker's scheduler tells it nothing.
                log.info("history_stays", of_tenant=tenant, reason=str(refused))
                continue
            await _forget_emissions(ledger, tenant, retention.kept_seconds, forgotten)
            await _forget_versions(ledger, tenant, retention.kept_seconds, forgotten)
            # Behind the versions, which name them.
            await _forget_mappings(ledger, tenant, forgotten)
    finally:
        counts = forgotten.counts()
        if any(counts.values()):
            for kind, count in counts.items():
                deleted(kind, count)
            log.info("history_forgotten", **{str(kind): count for kind, count in counts.items()})
    return forgotten


async def _forget_entries(
    ledger: Ledger, tenant: str, retention: HistoryRetention, forgotten: Forgotten
) -> None:
    last: OldEntrySet | None = None
    while found := await old_entry_sets(ledger, tenant, retention.kept_seconds, last):
        named = sorted({one.pipeline_id for one in found if one.pipeline_id is not None})
        kept = set(await retention.kept_pipelines(tenant, named)) if named else set()
        old = [one.entry_set for one in found if one.pipeline_id not in kept]
        gone = await delete_entry_sets(ledger, tenant, old)
        forgotten.entry_sets += gone.entry_sets
        forgotten.emission_sets += gone.emission_sets
        last = found[-1]


async def _forget_emissions(
    ledger: Ledger, tenant: str, kept_seconds: float, forgotten: Forgotten
) -> None:
    place: EmissionsPlace | None = EmissionsPlace()
    while place is not None:
        done = await delete_emission_sets(ledger, tenant, kept_seconds, place)
        forgotten.emission_sets += done.gone
        place = done.next


async def _forget_versions(
    ledger: Ledger, tenant: str, kept_seconds: float, forgotten: Forgotten
) -> None:
    place: VersionPlace | None = VersionPlace()
    while place is not None:
        done = await delete_versions(ledger, tenant, kept_seconds, place)
        forgotten.factor_versions += done.gone
        place = done.next


async def _forget_mappings(ledger: Ledger, tenant: str, forgotten: Forgotten) -> None:
    place: int | None = 0
    while place is not None:
        done = await delete_load_mappings(ledger, tenant, place)
        forgotten.load_mappings += done.gone
        place = done.next
