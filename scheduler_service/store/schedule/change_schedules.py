"""CreateSchedule, PauseSchedule, ResumeSchedule and DeleteSchedule."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from scheduler_service.jobs.job_type_keys import SIGNED_BY
from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.schedules import (
    SCHEDULES_MAX,
    TICKS_SHOWN,
    NextTick,
    ScheduleWanted,
    first_tick,
)
from scheduler_service.jobs.ticks import ticks
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.core.unit_of_work import MustLockMore, Needs, UnitOfWork
from scheduler_service.store.reads.rows import ScheduleRow, ShownScheduleRow


async def create_schedule(tx: UnitOfWork, wanted: ScheduleWanted) -> tuple[datetime, ...] | Refused:
    """The next ticks of the schedule, which there is now, by this call or an earlier one; or why
    there is none. Two calls at once may pass SCHEDULES_MAX by one.
    """
    tenant = wanted.tenant
    (of_tenant,) = await statement("schedules_of_tenant").rows(tx.conn, _CountRow, tenant=tenant)
    first = first_tick(wanted, of_tenant.now)
    if first is None:
        message = "names no moment within 50 years: check day and month"
        return Refused("FIELD_INVALID", message, {"field": "cron"})
    coming = tuple(islice(ticks(wanted.cron, wanted.time_zone, of_tenant.now), TICKS_SHOWN))
    found = await _held(tx, tenant, wanted.name)
    if found:
        return coming if _is_same(found[0], wanted) else _exists(wanted.name)
    if of_tenant.schedules >= SCHEDULES_MAX:
        message = f"{tenant} has {SCHEDULES_MAX} schedules already: delete one first"
        return Refused("TOO_MANY_SCHEDULES", message, {"limit": str(SCHEDULES_MAX)})
    if wanted.validate_only:
        return coming
    scope = wanted.scope
    inserted = await statement("insert_schedule").rows(
        tx.conn,
        _NumberRow,
        tenant=tenant,
        name=wanted.name,
        cron=wanted.cron,
        time_zone=wanted.time_zone,
        job_type=wanted.job_type,
        module=scope.module,
        data_entry_type=scope.data_entry_type,
        year=scope.year,
        unit=scope.unit,
        reference_kind=scope.reference_kind,
        payload=wanted.payload,
        priority=wanted.priority,
        runs_late=wanted.runs_late,
        jitter_seconds=wanted.jitter_seconds,
        created_by=wanted.principal,
        next_tick=first.tick,
        due_at=first.due_at,
    )
    if not inserted:
        # Somebody else has created it meanwhile: start over, and look at it.
        raise MustLockMore(Needs())
    return coming


async def pause_schedule(
    tx: UnitOfWork, tenant: str, name: str, reason: str, principal: str
) -> Refused | None:
    """None if the schedule is paused now, by this call or an earlier one."""
    paused = await statement("pause_schedule").rows(
        tx.conn, _NumberRow, tenant=tenant, name=name, paused_by=principal, reason=reason
    )
    return None if paused else not_there(tenant, name)


async def resume_schedule(tx: UnitOfWork, tenant: str, name: str) -> Refused | None:
    """None if the schedule goes on now. What ticked during its pause is passed over; a tick from
    before it, which nobody has looked at yet, is still due.
    """
    found = await _held(tx, tenant, name)
    if not found:
        return not_there(tenant, name)
    (row,) = found
    if row.paused_at is None:
        return None
    # The clock may have been moved back, and no tick comes twice.
    since = row.now if row.last_tick is None else max(row.now, row.last_tick)
    is_from_before = row.next_tick <= row.paused_at
    first = NextTick(row.next_tick, row.due_at) if is_from_before else first_tick(row, since)
    if first is None:
        raise ValueError(f"{row.cron} names no moment any more")
    await statement("resume_schedule").run(
        tx.conn, schedule_id=row.schedule_id, next_tick=first.tick, due_at=first.due_at
    )
    return None


async def delete_schedule(tx: UnitOfWork, tenant: str, name: str) -> Refused | None:
    """None if there was such a schedule, and is no longer."""
    deleted = await statement("delete_schedule").rows(tx.conn, _NumberRow, tenant=tenant, name=name)
    return None if deleted else not_there(tenant, name)


async def shown_schedules(
    conn: Connection, tenant: str, name: str | None = None
) -> list[ShownScheduleRow]:
    """The schedules of a tenant by name, or the one of this name."""
    return await statement("schedules").rows(
        conn, ShownScheduleRow, tenant=tenant, name=name, schedules_max=2 * SCHEDULES_MAX
    )


def not_there(tenant: str, name: str) -> Refused:
    """The refusal of a schedule that there is not."""
    return Refused("SCHEDULE_NOT_FOUND", f"{tenant} has no schedule {name}")


async def _held(tx: UnitOfWork, tenant: str, name: str) -> Sequence[ScheduleRow]:
    return await statement("hold_schedule").rows(tx.conn, ScheduleRow, tenant=tenant, name=name)


def _is_same(row: ScheduleRow, wanted: ScheduleWanted) -> bool:
    parts = ("cron", "time_zone", "job_type", "scope", "priority", "runs_late", "jitter_seconds")
    return _unsigned(row.payload) == _unsigned(wanted.payload) and all(
        getattr(row, part) == getattr(wanted, part) for part in parts
    )


def _unsigned(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Without who is to stand with the data: a schedule stays its first creator's."""
    return {name: value for name, value in (payload or {}).items() if name != SIGNED_BY}


def _exists(name: str) -> Refused:
    message = f"there is another schedule {name}: delete it first, or choose another name"
    return Refused("SCHEDULE_EXISTS", message, {"name": name})


class _CountRow(Row):
    __slots__ = ()
    schedules: int
    now: datetime


class _NumberRow(Row):
    __slots__ = ()
    schedule_id: int
