"""The accounting years of a tenant: their standing, their totals, and what may change them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stale_stats import ModuleState
from scheduler_service.store.core.statements import Connection, statement
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.reads.rows import LiveJobRow, YearRow
from scheduler_service.store.reads.stale_stats import module_states


@dataclass(frozen=True, slots=True)
class YearState:
    """A year; `row` is None until it is provisioned. `live` are jobs that are not over and may
    change its data. `now` is the moment of the snapshot, None if nothing of the tenant changed.
    """

    year: int
    row: YearRow | None
    modules: Sequence[ModuleState]
    live: Sequence[LiveJobRow]
    now: datetime | None


async def read_year(readers: Readers, tenant: str, year: int, keys: Sequence[str]) -> YearState:
    """One year, also if nothing is known of it. `keys`: of the jobs that may change it."""
    [state] = await _read(readers, tenant, year, lambda _: [year], lambda _: keys)
    return state


async def read_years(
    readers: Readers,
    tenant: str,
    before: int | None,
    years_max: int,
    keys_of: Callable[[int], Sequence[str]],
) -> list[YearState]:
    """Newest first, those before `before`: provisioned, with data, or about to be provisioned."""

    def page(known: Sequence[int]) -> list[int]:
        return [year for year in known if before is None or year < before][:years_max]

    return await _read(readers, tenant, None, page, keys_of)


async def _read(
    readers: Readers,
    tenant: str,
    year: int | None,
    page: Callable[[Sequence[int]], Sequence[int]],
    keys_of: Callable[[int], Sequence[str]],
) -> list[YearState]:
    async with readers.snapshot() as conn:
        rows = {
            row.year: row
            for row in await statement("years_of_tenant").rows(
                conn, YearRow, tenant=tenant, year=year
            )
        }
        states, now = await module_states(conn, tenant, year)
        known = {*rows, *(state.year for state in states)}
        if year is None:
            known |= await _about_to_be_provisioned(conn, tenant)
        wanted = page(sorted(known, reverse=True))
        keys = sorted({key for one in wanted for key in keys_of(one)})
        live = await statement("live_jobs_of_keys").rows(conn, LiveJobRow, keys=keys)
    return [
        YearState(
            one,
            rows.get(one),
            [state for state in states if state.year == one],
            # Reference data are of every year.
            [job for job in live if job.scope.year in (None, one)],
            now,
        )
        for one in wanted
    ]


async def _about_to_be_provisioned(conn: Connection, tenant: str) -> set[int]:
    key = JOB_TYPES["unit_sync"].exclusive_key(Scope(tenant))
    jobs = await statement("live_jobs_of_keys").rows(conn, LiveJobRow, keys=[key])
    return {job.scope.year for job in jobs if job.scope.year is not None}
