"""What is known of a job and of what may keep it from running."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scheduler_service.jobs.requests import Pause
from scheduler_service.jobs.states import JobResult, JobState
from scheduler_service.jobs.worker_state import WorkerState


@dataclass(frozen=True, slots=True)
class Holder:
    """A claim, and the worker that holds it. `lease_until` is None where it is not known."""

    job_id: int
    worker_id: str
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class FirstJob:
    """The other job of an exclusive key whose turn it is."""

    job_id: int
    job_type: str
    state: JobState
    worker_id: str
    run_after: datetime | None


@dataclass(frozen=True, slots=True)
class SetAsideUntil:
    """A sweep or a Claim has failed at the job or its exclusive key: left alone until then."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class KnownWorkers:
    """How many worker processes stand alike, as far as it matters for one job."""

    count: int
    state: WorkerState
    build_id: str
    serves_tenant: bool
    claims_type: bool


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What one snapshot shows of a job and of what may keep it from running.

    `first` is None if no other job of its exclusive key has its turn, `drain` if no claim of the
    key drains. `last_worker_id` is that of the last attempt that has ended, "" if none is known.
    `older_jobs` and `jobs_ahead` are counted up to a bound.
    """

    now: datetime
    tenant: str
    job_type: str
    state: JobState
    result: JobResult | None
    message: str
    superseded_by: int
    run_after: datetime | None
    attempts: int
    attempts_max: int
    last_worker_id: str
    runs_alone: bool
    holder: Holder | None
    first: FirstJob | None
    drain: Holder | None
    pause: Pause | None
    older_jobs: int
    jobs_ahead: int
    set_aside: SetAsideUntil | None
    workers: Sequence[KnownWorkers]
