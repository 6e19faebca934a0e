"""The rows that statements of more than one room read: their columns, with their types; and the end
of a job, which is made of one.
"""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from scheduler_service.jobs.requests import Json
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.statements import Row

SCOPES_REMEMBERED_MAX = 4096
_DONE = (JobResult.SUCCESS, JobResult.WARNING)
# Jobs are many, their scopes are few.
_scope = lru_cache(maxsize=SCOPES_REMEMBERED_MAX)(Scope)


class ScopeRow(Row):
    """Anything that has a scope: a job, a pipeline."""

    __slots__ = ()
    tenant: str
    module: int | None
    data_entry_type: int | None
    year: int | None
    unit: str | None
    reference_kind: str | None

    @property
    def scope(self) -> Scope:
        """Its scope."""
        return _scope(
            self.tenant,
            self.module,
            self.data_entry_type,
            self.year,
            self.unit,
            self.reference_kind,
        )


class EndingJobRow(ScopeRow):
    """A job, as every end of one needs to know it."""

    __slots__ = ()
    job_id: int
    pipeline_id: int
    job_type: str
    exclusive_key: str | None
    priority: int


class JoinableRow(Row):
    """A job that pipelines may have joined; its coalesce key is None if they cannot."""

    __slots__ = ()
    job_id: int
    pipeline_id: int
    coalesce_key: str | None


class JobRow(EndingJobRow, JoinableRow):
    """A job with how it stands: what operations decide on."""

    __slots__ = ()
    state: str
    result: str | None
    claim_token: int | None
    finished_by_token: int | None
    in_doubt_token: int | None
    attempts: int
    attempts_max: int
    releases: int


class ShownJobRow(ScopeRow):
    """A job with everything that is told of it on the wire, but for what its claim reports."""

    __slots__ = ()
    job_id: int
    pipeline_id: int
    job_type: str
    payload: Json | None
    state: str
    result: str | None
    message: str
    error_cause: str
    stats: Json | None
    run_after: datetime | None
    attempts: int
    attempts_max: int
    priority: int
    releases: int
    expiries: int
    last_token: int | None
    worker_id: UUID | None
    parent_job_id: int | None
    child_key: str | None
    superseded_by: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    runs_alone: bool


class LockedPipelineRow(Row):
    """A pipeline that a statement of this transaction has locked: its counters.

    `finished_jobs` is None if another release has changed it, or made it: it does not count them.
    """

    __slots__ = ()
    pipeline_id: int
    tenant: str
    version: int
    live_jobs: int
    failed_jobs: int
    warned_jobs: int
    root_job_id: int
    cancelled: bool
    finished_jobs: int | None
    failed_job_id: int | None


class ClaimTokenRow(Row):
    """A claim, by its token alone."""

    __slots__ = ()
    claim_token: int


class ClaimOfWorkerRow(ClaimTokenRow):
    """A claim, and the worker that holds or held it."""

    __slots__ = ()
    worker_id: UUID


class LinkRow(Row):
    """A pipeline that joined a job."""

    __slots__ = ()
    job_id: int
    pipeline_id: int


class StagedScopeRow(Row):
    """A type and scope of children that claims have staged, and how many have it."""

    __slots__ = ()
    job_type: str
    module: int | None
    data_entry_type: int | None
    year: int | None
    unit: str | None
    tenant: str
    children: int


class StagedChildRow(Row):
    """A child that a claim has staged, with the tenant of its parent."""

    __slots__ = ()
    parent_job_id: int
    child_key: str
    job_type: str
    module: int | None
    data_entry_type: int | None
    year: int | None
    unit: str | None
    payload: Json | None
    tenant: str


class End(NamedTuple):
    """A job that this transaction has set to FINISHED, and the claim that ended with it.

    `row`: the job as it was before. `pipeline_ids`: its owner, then the pipelines that joined it.
    `token`: of the claim, 0 if the job never ran. `drains`: the claim may still be at work.
    `in_doubt_token`: the newest claim of the job that may have written, None if there is none.
    `has_children`: the claim may have staged children. `changed_nothing`: the claim says so.

    A tuple, because thousands are made per second.
    """

    row: EndingJobRow
    result: JobResult
    pipeline_ids: tuple[int, ...]
    token: int = 0
    drains: bool = False
    in_doubt_token: int | None = None
    has_children: bool = False
    # Whether it touches more than its pipelines.
    has_needs: bool = True
    changed_nothing: bool = False

    @property
    def scope(self) -> Scope:
        """The job's scope."""
        return self.row.scope

    @property
    def done(self) -> bool:
        """SUCCESS or WARNING: its data stand and its children become jobs."""
        return self.result in _DONE

    @property
    def owes_follow_ups(self) -> bool:
        """Whether what must follow the job's whole scope is to become jobs of its pipelines: it has
        ended well, and it or an earlier claim of the job may have changed something.
        """
        return self.done and (not self.changed_nothing or self.in_doubt_token is not None)
