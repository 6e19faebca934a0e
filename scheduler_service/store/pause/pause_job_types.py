"""PauseJobType and ResumeJobType: whether jobs of a type are claimed in a tenant."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from scheduler_service.jobs.requests import Pause
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork

PAGE_MAX = 500
# Of the pauses that began last, so many say what was claimed before them.
LAST_PAUSES_MAX = 20


class PausePage(NamedTuple):
    """`before_pause_id` is where the next page begins; None on the last page."""

    pauses: Sequence[Pause]
    before_pause_id: int | None


async def pause_job_type(
    tx: UnitOfWork, tenants: Sequence[str], job_type: str, reason: str, principal: str
) -> list[Pause]:
    """The pause in each tenant: this one, or the one before that still lasts."""
    rows = await statement("pause_job_types").rows(
        tx.conn,
        _PauseRow,
        tenants=list(tenants),
        job_type=job_type,
        paused_by=principal,
        reason=reason,
    )
    return sorted(_pause(row) for row in rows)


async def resume_job_type(
    tx: UnitOfWork, tenants: Sequence[str], job_type: str, principal: str
) -> list[Pause]:
    """The pauses that are over now; workers that wait for the type are woken."""
    await statement("late_by_a_pause").run(
        tx.conn, tenants=list(tenants), job_type=job_type, pauses_max=LAST_PAUSES_MAX
    )
    rows = await statement("resume_job_types").rows(
        tx.conn, _PauseRow, tenants=list(tenants), job_type=job_type, resumed_by=principal
    )
    if rows:
        tx.woken_types.add(job_type)
    return sorted(_pause(row) for row in rows)


async def list_pauses(
    conn: Connection, tenant: str, before_pause_id: int | None, pauses_max: int, *, resumed: bool
) -> PausePage:
    """A tenant's pauses, newest first, behind one of them: those that last, or all."""
    rows = await statement("list_pauses").rows(
        conn,
        _ListedPauseRow,
        tenant=tenant,
        include_resumed=resumed,
        before_pause_id=before_pause_id,
        pauses_max=pauses_max + 1,
    )
    page = rows[:pauses_max]
    more = len(rows) > len(page)
    return PausePage([_pause(row) for row in page], page[-1].pause_id if more else None)


def _pause(row: "_PauseRow") -> Pause:
    return Pause(
        row.tenant,
        row.job_type,
        row.paused_at,
        row.paused_by,
        row.reason,
        row.resumed_at,
        row.resumed_by,
    )


class _PauseRow(Row):
    __slots__ = ()
    tenant: str
    job_type: str
    paused_at: datetime
    paused_by: str
    reason: str
    resumed_at: datetime | None
    resumed_by: str | None


class _ListedPauseRow(_PauseRow):
    __slots__ = ()
    pause_id: int
