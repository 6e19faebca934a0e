"""The rows that people, gateways and watchers read."""

from datetime import datetime
from uuid import UUID

from scheduler_service.jobs.requests import Json
from scheduler_service.store.core.rows import ScopeRow, ShownJobRow
from scheduler_service.store.core.statements import Row


class PipelineRow(ScopeRow):
    """A pipeline of pipeline_summaries, and when its root job was first claimed. `status` LIVE
    means NOT_STARTED until `has_started`.

    `message` is cut, and that of the first job that failed, or else of the root.
    """

    __slots__ = ()
    pipeline_id: int
    kind: str
    status: str
    has_started: bool
    version: int
    submitted_by: str
    root_job_id: int
    live_jobs: int
    failed_jobs: int
    warned_jobs: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    repair_of: int | None
    retry_of: int | None
    priority: int | None
    finished_count: int
    message_job_id: int
    message: str | None
    schedule: str | None


class JobSummaryRow(ShownJobRow):
    """A job of job_summaries, with its progress and whether it is the current one of its job type
    and scope.

    Where `progress_at` is None nothing is reported, and the other four are None, too.
    """

    __slots__ = ()
    is_current: bool
    progress_at: datetime | None
    progress_done: int
    progress_total: int
    progress_phase: str
    progress_message: str


class SeenJobRow(JobSummaryRow):
    """A job as a pipeline sees it: its own, or one that it has joined."""

    __slots__ = ()
    is_joined: bool


class FinalRow(PipelineRow):
    """A pipeline that has ended, and the digest over its jobs."""

    __slots__ = ()
    evidence_digest: str


class ActiveJobRow(SeenJobRow):
    """A job that is claimable or running, and the pipeline that sees it."""

    __slots__ = ()
    seen_by: int


class ChangedJobRow(ActiveJobRow):
    """A job that changed after a version, and in which; `has_left` if the pipeline waits for it no
    longer.
    """

    __slots__ = ()
    has_left: bool
    seen_version: int


class EventRow(Row):
    """An event of a timeline; without a job it is the pipeline's. `worker_id` is the claim's,
    `events` how many the whole timeline has.
    """

    __slots__ = ()
    at: datetime
    job_id: int | None
    event: str
    claim_token: int | None
    detail: str
    worker_id: UUID | None
    events: int


class YearRow(Row):
    """A provisioned year; `locked_at` and `locked_by` are None until its period is locked."""

    __slots__ = ()
    tenant: str
    year: int
    provisioned_at: datetime
    locked_at: datetime | None
    locked_by: str | None
    lock_reason: str | None


class LiveJobRow(ScopeRow):
    """A job that is not over, by its type and scope alone."""

    __slots__ = ()
    job_type: str


class WorkerRow(Row):
    """A worker, how long it has been silent, and its place in the list: see AfterWorker. If it was
    told to drain, `drain_asked_at` says when.
    """

    __slots__ = ()
    worker_id: UUID
    build_id: str
    host: str
    job_types: list[str]
    draining: bool
    not_ready: str
    last_seen_at: datetime
    seconds_ago: float
    drain_asked_at: datetime | None
    drain_asked_by: str | None
    drain_reason: str | None
    newest_token: int
    is_idle: int
    started_us: int


class HeldClaimRow(Row):
    """A claim in a worker's hands; `seconds_left` of its lease may be below 0. `held` is how many
    claims the worker holds.
    """

    __slots__ = ()
    worker_id: UUID
    claim_token: int
    job_id: int
    job_type: str
    draining: bool
    seconds_left: float
    held: int


class ScheduleRow(ScopeRow):
    """A schedule. Without a year, the year of its jobs is that of each tick. `now` is when the row
    was read.
    """

    __slots__ = ()
    schedule_id: int
    name: str
    cron: str
    time_zone: str
    job_type: str
    payload: Json | None
    priority: int
    runs_late: bool
    jitter_seconds: int
    created_at: datetime
    created_by: str
    next_tick: datetime
    due_at: datetime
    last_tick: datetime | None
    last_outcome: str | None
    last_message: str
    last_pipeline_id: int | None
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None
    now: datetime


class ShownScheduleRow(ScheduleRow):
    """A schedule with the pipeline of its last tick or the newest retry of it, if there is one;
    `stuck` is why a sweep has set it aside.
    """

    __slots__ = ()
    shown_pipeline_id: int | None
    last_status: str | None
    last_has_started: bool | None
    stuck: str | None
