"""A job that has just ended, as everything that follows from its end needs to see it."""

from typing import NamedTuple

from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.rows import EndingJobRow

_DONE = (JobResult.SUCCESS, JobResult.WARNING)


class End(NamedTuple):
    """A job that this transaction has set to FINISHED, and the claim that ended with it.

    `row` is the job as it was before (see peek_jobs.sql); `pipeline_ids` its owner first, then
    who joined it; `token` 0 if it never ran; `drains` while the claim may still be at work. A
    tuple, as FinishRequest is: thousands are made in a second.
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

    @property
    def scope(self) -> Scope:
        """The job's scope."""
        return self.row.scope

    @property
    def done(self) -> bool:
        """SUCCESS or WARNING: its data stand and its children become jobs."""
        return self.result in _DONE
