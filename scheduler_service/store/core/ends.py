"""The end of a job, with what follows from it."""

from typing import NamedTuple

from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.rows import EndingJobRow

_DONE = (JobResult.SUCCESS, JobResult.WARNING)


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
