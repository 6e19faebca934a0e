"""Claim for a job that runs alone: its worker holds nothing else until it ends."""

from collections.abc import Sequence

import asyncpg

from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.store.core.claimed import ClaimedJobRow
from scheduler_service.store.core.statements import Connection, Row, statement

# How many such jobs others may be taking at this moment before none is found.
SPARE_HEADS = 10


async def claim_alone(
    conn: Connection, request: ClaimRequest, lease_seconds: float
) -> Sequence[ClaimedJobRow]:
    """The first claimable job that runs alone, if the worker holds no claim, draining ones
    included, and no other Claim of it is on its way. Waits for nothing.
    """
    try:
        async with conn.transaction():
            (worker,) = await statement("hold_worker_alone").rows(
                conn, _WorkerRow, worker_id=request.worker_id
            )
            if not worker.is_held:
                return ()
            # Behind the lock: a statement sees what was committed when it began.
            return await statement("claim_alone").rows(
                conn,
                ClaimedJobRow,
                worker_id=request.worker_id,
                request_id=request.request_id,
                principal=request.principal,
                job_types=list(request.job_types),
                tenants=list(request.tenants),
                spare_heads=SPARE_HEADS,
                lease_seconds=lease_seconds,
            )
    except asyncpg.UniqueViolationError as error:
        if not came_twice(error):
            raise
        return ()


def came_twice(error: asyncpg.UniqueViolationError) -> bool:
    """Whether the first call of a request committed while the repeat was on its way."""
    return error.constraint_name == "claim_requests_pkey"


class _WorkerRow(Row):
    __slots__ = ()
    is_held: bool
