"""What a Claim passes over because somebody holds it locked: for who wants to see contention."""

from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.store.core.statements import Connection, Row, statement

# Of each type and tenant, how many jobs are looked at.
HEADS_MAX = 100


async def passed_over(conn: Connection, request: ClaimRequest) -> list[int]:
    """Claimable jobs for the request that are locked now. Waits for nothing, and locks nothing."""
    rows = await statement("passed_over").rows(
        conn,
        _LockedRow,
        job_types=list(request.job_types),
        tenants=list(request.tenants),
        heads_max=HEADS_MAX,
    )
    return [row.job_id for row in rows]


class _LockedRow(Row):
    __slots__ = ()
    job_id: int
