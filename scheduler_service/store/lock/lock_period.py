"""LockPeriod and UnlockPeriod: whether jobs may change the numbers of a year."""

from collections.abc import Sequence
from datetime import datetime

from scheduler_service.jobs.busy_years import keeps_busy, keys_of_year
from scheduler_service.jobs.requests import PeriodLock, Refused
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork

JOBS_NAMED_MAX = 10


class HeldYearRow(Row):
    """A year that no other transaction holds; the last three are None unless it is locked."""

    __slots__ = ()
    tenant: str
    year: int
    locked_at: datetime | None
    locked_by: str | None
    lock_reason: str | None


class BusyJobRow(Row):
    """A job that is not over, or whose claim drains."""

    __slots__ = ()
    job_id: int
    job_type: str
    year: int | None
    state: str


async def lock_period(
    tx: UnitOfWork, tenant: str, year: int, reason: str, principal: str
) -> PeriodLock | Refused:
    """The lock: a new one, or the earlier one; or why the year cannot be locked now."""
    held = await _hold(tx, tenant, year)
    if not held:
        message = f"year {year} of {tenant} is not provisioned: there is nothing to lock"
        return Refused("YEAR_NOT_PROVISIONED", message, {"year": str(year)})
    if held[0].locked_at is not None:
        return _lock(held[0])
    # Whoever brings a job into the year holds it first, so that none can come meanwhile.
    rows = await statement("busy_jobs_of_keys").rows(
        tx.conn, BusyJobRow, keys=keys_of_year(tenant, year)
    )
    busy = [row for row in rows if keeps_busy(row.year, row.job_type, year)]
    if busy:
        return _busy(year, busy)
    (locked,) = await statement("lock_year").rows(
        tx.conn, HeldYearRow, tenant=tenant, year=year, locked_by=principal, reason=reason
    )
    return _lock(locked)


async def unlock_period(tx: UnitOfWork, tenant: str, year: int) -> PeriodLock | None:
    """The lock that this ended; None if the year was not locked."""
    held = await _hold(tx, tenant, year)
    if not held or held[0].locked_at is None:
        return None
    await statement("unlock_year").run(tx.conn, tenant=tenant, year=year)
    return _lock(held[0])


async def _hold(tx: UnitOfWork, tenant: str, year: int) -> Sequence[HeldYearRow]:
    return await statement("hold_year_alone").rows(tx.conn, HeldYearRow, tenant=tenant, year=year)


def _lock(row: HeldYearRow) -> PeriodLock:
    if row.locked_at is None:
        raise ValueError(f"year {row.year} is not locked")
    return PeriodLock(
        row.tenant, row.year, row.locked_at, row.locked_by or "", row.lock_reason or ""
    )


def _busy(year: int, jobs: Sequence[BusyJobRow]) -> Refused:
    named = [f"job {job.job_id} ({job.job_type}, {job.state})" for job in jobs[:JOBS_NAMED_MAX]]
    more = f" and {len(jobs) - len(named):,} more" if len(jobs) > len(named) else ""
    numbers = ",".join(str(job.job_id) for job in jobs[:JOBS_NAMED_MAX])
    message = (
        f"year {year} is busy: {', '.join(named)}{more} may still change it: "
        "wait for their end, or cancel their pipelines"
    )
    return Refused("YEAR_BUSY", message, {"year": str(year), "job_ids": numbers})
