"""Writes a worker down, as it introduces itself."""

from uuid import UUID

from scheduler_service.jobs.heartbeats import Introduction
from scheduler_service.store.core.statements import Connection, statement


async def see_worker(
    conn: Connection,
    worker_id: UUID,
    principal: str,
    tenants: tuple[str, ...],
    introduction: Introduction,
) -> None:
    """Makes a worker known, or touches one that is known. Waits for no lock."""
    await statement("see_worker").run(
        conn,
        worker_id=worker_id,
        principal=principal,
        tenants=list(tenants),
        build_id=introduction.build_id,
        host=introduction.host,
        job_types=list(introduction.job_types),
    )
