"""A job that has just ended, as everything that follows from its end needs to see it."""

from dataclasses import dataclass
from functools import lru_cache

from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.transaction import EndedJob, Row

SCOPES_REMEMBERED_MAX = 4096
_DONE = (JobResult.SUCCESS, JobResult.WARNING)


@dataclass(frozen=True, slots=True)
class End:
    """A job that this transaction has set to FINISHED, and the claim that ended with it.

    `row` is the job as it was before (see peek_jobs.sql); `pipeline_ids` its owner first, then
    who joined it; `token` 0 if it never ran; `drains` while the claim may still be at work.
    """

    row: Row
    result: JobResult
    pipeline_ids: tuple[int, ...]
    token: int = 0
    drains: bool = False
    dark_token: int | None = None
    has_children: bool = False

    @property
    def scope(self) -> Scope:
        """The job's scope."""
        return scope_of(self.row)

    @property
    def job(self) -> EndedJob:
        """What is told of it after the commit."""
        row = self.row
        return EndedJob(
            row["tenant"],
            self.pipeline_ids,
            row["job_id"],
            self.token,
            row["job_type"],
            self.result,
        )

    @property
    def done(self) -> bool:
        """SUCCESS or WARNING: its data stand and its children become jobs."""
        return self.result in _DONE


def scope_of(row: Row) -> Scope:
    """The scope of a job row."""
    return _scope(
        row["tenant"],
        row["module"],
        row["data_entry_type"],
        row["year"],
        row["unit"],
        row["reference_kind"],
    )


# Jobs are many, their scopes are few.
_scope = lru_cache(maxsize=SCOPES_REMEMBERED_MAX)(Scope)
