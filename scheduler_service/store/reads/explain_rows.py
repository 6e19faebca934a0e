"""The rows from which a job's standing is explained."""

from datetime import datetime
from uuid import UUID

from scheduler_service.store.core.statements import Row


class StandingRow(Row):
    """What may keep a job from being claimed. Columns of what does not exist are None."""

    __slots__ = ()
    now: datetime
    lease_until: datetime | None
    first_job_id: int | None
    first_job_type: str
    first_state: str
    first_worker_id: UUID | None
    first_run_after: datetime | None
    drain_job_id: int | None
    drain_worker_id: UUID | None
    drain_until: datetime | None
    last_worker_id: UUID | None
    older_jobs: int
    jobs_ahead: int
    aside_until: datetime | None
    aside_reason: str


class WorkersRow(Row):
    """Workers that stand alike for a job; `seconds_ago` one of them was heard of last."""

    __slots__ = ()
    build_id: str
    serves: bool
    claims: bool
    draining: bool
    not_ready: str
    seconds_ago: float
    workers: int


class LastingPauseRow(Row):
    """The pause of a job type that lasts."""

    __slots__ = ()
    tenant: str
    job_type: str
    paused_at: datetime
    paused_by: str
    reason: str
    resumed_at: datetime | None
    resumed_by: str | None


class HeldChildRow(Row):
    """A child that a barrier holds, and the jobs that it waits for."""

    __slots__ = ()
    job_type: str
    module: int
    year: int
    parent_job_id: int
    waits_for: list[int]
