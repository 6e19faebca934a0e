"""The rows by which the stored history is verified."""

from uuid import UUID

from scheduler_service.store.core.rows import ScopeRow
from scheduler_service.store.core.statements import Row


class FindingRow(Row):
    """Something that breaks an invariant."""

    __slots__ = ()
    pipeline_id: int
    job_id: int
    detail: str


class PageRow(Row):
    """A pipeline of the page, and how many jobs it has, about."""

    __slots__ = ()
    pipeline_id: int
    is_live: bool
    jobs: int


class PartRow(Row):
    """The next jobs of a pipeline: the last one of them, and how many they are."""

    __slots__ = ()
    last_job_id: int
    jobs: int


class CountedRow(Row):
    """A pipeline with what its status follows from. `finished_jobs` is None if nobody counted."""

    __slots__ = ()
    pipeline_id: int
    status: str
    live_jobs: int
    failed_jobs: int
    cancelled: bool
    root_result: str | None
    live_jobs_found: int
    finished_jobs: int | None
    finished_jobs_found: int


class InDoubtRow(ScopeRow):
    """A job that ended with a claim in doubt; `open_year` is None if its year is not open."""

    __slots__ = ()
    pipeline_id: int
    job_id: int
    job_type: str
    result: str
    in_doubt_token: int
    open_year: int | None
    is_repaired: bool


class RequestRow(Row):
    """A remembered Submit."""

    __slots__ = ()
    request_id: UUID
    pipeline_id: int
    job_id: int
    is_kept: bool
