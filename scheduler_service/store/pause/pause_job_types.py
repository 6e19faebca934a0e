"""PauseJobType and ResumeJobType: whether jobs of a type are claimed in a tenant."""

from collections.abc import Sequence
from typing import Any

from scheduler_service.jobs.requests import Pause
from scheduler_service.store.core.statements import Connection, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork

PAUSES_SHOWN_MAX = 500


async def pause_job_type(
    tx: UnitOfWork, tenants: Sequence[str], job_type: str, reason: str, principal: str
) -> list[Pause]:
    """The pause in each tenant: this one, or the one before that still lasts."""
    rows = await statement("pause_job_types").rows(
        tx.conn, tenants=list(tenants), job_type=job_type, paused_by=principal, reason=reason
    )
    return _pauses(rows)


async def resume_job_type(
    tx: UnitOfWork, tenants: Sequence[str], job_type: str, principal: str
) -> list[Pause]:
    """The pauses that are over now; workers that wait for the type are woken."""
    rows = await statement("resume_job_types").rows(
        tx.conn, tenants=list(tenants), job_type=job_type, resumed_by=principal
    )
    if rows:
        tx.woken_types.add(job_type)
    return _pauses(rows)


async def list_pauses(conn: Connection, tenant: str, *, include_resumed: bool) -> list[Pause]:
    """A tenant's pauses, newest first, at most PAUSES_SHOWN_MAX."""
    rows = await statement("list_pauses").rows(
        conn, tenant=tenant, include_resumed=include_resumed, pauses_max=PAUSES_SHOWN_MAX
    )
    return [Pause(*row.values()) for row in rows]


def _pauses(rows: Sequence[Any]) -> list[Pause]:
    return sorted(Pause(*row.values()) for row in rows)
