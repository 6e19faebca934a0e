"""What a snapshot shows of one job, and of what may keep it from running."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from scheduler_service.jobs.job_facts import (
    FirstJob,
    Holder,
    JobFacts,
    KnownWorkers,
    SetAsideUntil,
)
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Pause, Refused, ones_own
from scheduler_service.jobs.states import JobResult, JobState
from scheduler_service.jobs.worker_state import worker_state
from scheduler_service.store.core.statements import statement
from scheduler_service.store.reads.explain_rows import (
    HeldChildRow,
    LastingPauseRow,
    StandingRow,
    WorkersRow,
)
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.reads.rows import JobSummaryRow

# Held children, and the jobs that one waits for: one more is read, which says that there are more.
HELD_SHOWN_MAX = 100
# Beyond it nobody needs the exact number, and a look has to stay cheap.
JOBS_COUNTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Explained:
    """A job's summary, the facts about it, and the held children of its pipeline: of these, and of
    what each waits for, one more than HELD_SHOWN_MAX if there are more.
    """

    job: JobSummaryRow
    facts: JobFacts
    held_children: Sequence[HeldChildRow]


async def read_job_facts(
    readers: Readers, job_id: int, tenant: str, lease_seconds: float
) -> Explained | Refused:
    """The facts about a job of the tenant."""
    barriers = {t.name: t.barrier.after for t in JOB_TYPES.values() if t.barrier is not None}
    async with readers.snapshot() as conn:
        jobs = await statement("job_by_id").rows(conn, JobSummaryRow, job_id=job_id)
        job = ones_own("job", job_id, jobs[0] if jobs else None, (tenant,))
        if isinstance(job, Refused):
            return job
        (found,) = await statement("explain_job").rows(
            conn, StandingRow, job_id=job_id, jobs_max=JOBS_COUNTED_MAX
        )
        workers = await statement("workers_for_job").rows(
            conn,
            WorkersRow,
            tenant=tenant,
            job_type=job.job_type,
            lease_seconds=lease_seconds,
        )
        pauses = await statement("lasting_pause").rows(
            conn, LastingPauseRow, tenant=tenant, job_type=job.job_type
        )
        held = await statement("held_children_with_reasons").rows(
            conn,
            HeldChildRow,
            pipeline_id=job.pipeline_id,
            job_types=list(barriers),
            after_types=list(barriers.values()),
            shown_max=HELD_SHOWN_MAX + 1,
        )
    pause = Pause(*pauses[0].values()) if pauses else None
    known = [_workers(row, lease_seconds) for row in workers]
    return Explained(job, _facts(job, found, pause, known), held)


def _facts(
    job: JobSummaryRow, found: StandingRow, pause: Pause | None, workers: Sequence[KnownWorkers]
) -> JobFacts:
    return JobFacts(
        now=found.now,
        tenant=job.tenant,
        job_type=job.job_type,
        state=JobState(job.state),
        result=JobResult(job.result) if job.result is not None else None,
        message=job.message,
        superseded_by=job.superseded_by or 0,
        run_after=job.run_after,
        attempts=job.attempts,
        attempts_max=job.attempts_max,
        last_worker_id=str(found.last_worker_id or ""),
        runs_alone=job.runs_alone,
        holder=_holder(job.job_id, job.worker_id, found.lease_until),
        first=_first(found),
        drain=_holder(found.drain_job_id, found.drain_worker_id, found.drain_until),
        older_jobs=found.older_jobs,
        jobs_ahead=found.jobs_ahead,
        pause=pause,
        set_aside=_set_aside(found),
        workers=workers,
    )


def _holder(
    job_id: int | None, worker_id: UUID | None, lease_until: datetime | None
) -> Holder | None:
    if job_id is None or worker_id is None:
        return None
    return Holder(job_id, str(worker_id), lease_until)


def _set_aside(found: StandingRow) -> SetAsideUntil | None:
    if found.aside_until is None:
        return None
    return SetAsideUntil(found.aside_until, found.aside_reason)


def _first(found: StandingRow) -> FirstJob | None:
    if found.first_job_id is None:
        return None
    return FirstJob(
        found.first_job_id,
        found.first_job_type,
        JobState(found.first_state),
        str(found.first_worker_id or ""),
        found.first_run_after,
    )


def _workers(row: WorkersRow, lease_seconds: float) -> KnownWorkers:
    state = worker_state(
        silent_seconds=row.seconds_ago,
        lease_seconds=lease_seconds,
        draining=row.draining,
        not_ready=row.not_ready,
    )
    return KnownWorkers(row.workers, state, row.build_id, row.serves, row.claims)
