"""How much of each job type waits and runs, and how many workers there are for it."""

from collections.abc import Sequence
from typing import NamedTuple

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.worker_state import WorkerState, worker_state
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.reads.readers import Readers

# Of one type, all tenants together. Beyond it nobody needs the exact number, and a look has to stay
# cheap.
JOBS_COUNTED_MAX = 20_000


class QueueStats(NamedTuple):
    """A job type in a tenant. `live_workers` are those that claim it there."""

    tenant: str
    job_type: str
    claimable: int
    oldest_seconds: float
    running: int
    live_workers: int
    paused: bool


async def read_queue_stats(
    readers: Readers, tenants: Sequence[str], lease_seconds: float
) -> list[QueueStats]:
    """By tenant and type, those that have a job that is claimable or runs."""
    types, asked = sorted(JOB_TYPES), list(tenants)
    async with readers.snapshot() as conn:
        rows = await statement("queue_stats").rows(
            conn, _QueueRow, tenants=asked, job_types=types, jobs_max=JOBS_COUNTED_MAX
        )
        pauses = await statement("paused_types").rows(
            conn, _PausedRow, tenants=asked, job_types=types
        )
        workers = await statement("workers_of_queues").rows(
            conn, _WorkersRow, tenants=asked, lease_seconds=lease_seconds
        )
    live = {
        (row.tenant, row.job_type): row.workers for row in workers if _are_live(row, lease_seconds)
    }
    paused = {(row.tenant, row.job_type) for row in pauses}
    return [
        QueueStats(
            row.tenant,
            row.job_type,
            row.claimable,
            row.oldest_seconds,
            row.running,
            live.get((row.tenant, row.job_type), 0),
            (row.tenant, row.job_type) in paused,
        )
        for row in rows
    ]


class _QueueRow(Row):
    __slots__ = ()
    tenant: str
    job_type: str
    claimable: int
    running: int
    oldest_seconds: float


class _PausedRow(Row):
    __slots__ = ()
    tenant: str
    job_type: str


class _WorkersRow(Row):
    """Workers that claim a type in a tenant, and stand alike."""

    __slots__ = ()
    tenant: str
    job_type: str
    draining: bool
    not_ready: str
    seconds_ago: float
    workers: int


def _are_live(alike: _WorkersRow, lease_seconds: float) -> bool:
    state = worker_state(
        silent_seconds=alike.seconds_ago,
        lease_seconds=lease_seconds,
        draining=alike.draining,
        not_ready=alike.not_ready,
    )
    return state is WorkerState.LIVE
