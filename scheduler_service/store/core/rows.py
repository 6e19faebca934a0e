"""The rows that statements of more than one room read: their columns, with their types."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from scheduler_service.jobs.requests import Json
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.statements import Row

SCOPES_REMEMBERED_MAX = 4096
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


class LockedPipelineRow(Row):
    """A pipeline that a statement of this transaction has locked: its counters."""

    __slots__ = ()
    pipeline_id: int
    tenant: str
    version: int
    live_jobs: int
    failed_jobs: int
    warned_jobs: int
    root_job_id: int
    cancelled: bool


class ClaimTokenRow(Row):
    """A claim, by its token alone."""

    __slots__ = ()
    claim_token: int


class LinkRow(Row):
    """A pipeline that joined a job."""

    __slots__ = ()
    job_id: int
    pipeline_id: int


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
