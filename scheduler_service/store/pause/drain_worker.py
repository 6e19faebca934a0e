"""DrainWorker: a worker is told to end, and claims nothing more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scheduler_service.jobs.requests import Refused, WorkerDrain
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork


async def drain_worker(
    tx: UnitOfWork, worker_id: UUID, tenants: Sequence[str], reason: str, principal: str
) -> WorkerDrain | Refused:
    """Who told it first, when and why; its waiting Claims are woken."""
    rows = await statement("drain_worker").rows(
        tx.conn,
        _DrainRow,
        worker_id=worker_id,
        tenants=list(tenants),
        drain_asked_by=principal,
        drain_reason=reason,
    )
    if not rows:
        gone = f"there is no worker {worker_id}; one that has ended in order is forgotten"
        return Refused("WORKER_NOT_FOUND", gone)
    (row,) = rows
    if row.drain_asked_at is None:
        others = f"worker {worker_id} serves tenants that you may not act for"
        return Refused("OTHER_TENANT", f"{others}; who may act for all of its tenants drains it")
    tx.woken_types.update(row.job_types)
    return WorkerDrain(
        worker_id, row.drain_asked_at, row.drain_asked_by or "", row.drain_reason or ""
    )


class _DrainRow(Row):
    __slots__ = ()
    job_types: list[str]
    drain_asked_at: datetime | None
    drain_asked_by: str | None
    drain_reason: str | None
