"""The handle of a run: all that a step sees of the mechanics."""

from collections.abc import Sequence
from typing import Protocol

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.scheduler import ChildRequest


class ClaimLost(Exception):
    """This claim no longer holds the job, or its time is over: roll back and stop."""


class JobCancelled(Exception):
    """A person cancelled the job: roll back and stop."""


class Run(Protocol):
    """One run of one claim. The step's task is cancelled when the run must stop."""

    @property
    def job(self) -> ClaimedJob:
        """What to do."""
        ...

    def progress(self, done: int, total: int = 0, phase: str = "", message: str = "") -> None:
        """Says how far the run is; total 0 when unknown. Cheap, from any thread, latest wins."""
        ...

    def deadline_seconds(self) -> float:
        """Seconds left in which the run may still commit; 0 when it may not."""
        ...

    def check(self) -> None:
        """Raises ClaimLost or JobCancelled when the run must stop. From any thread."""
        ...

    async def chain(self, children: Sequence[ChildRequest]) -> int:
        """Stages jobs that follow when this one ends well; how many are staged in all.

        Repeated until it is answered or the lease runs out. Raises ClaimLost when stale.
        """
        ...

    def data_commit_starts(self) -> None:
        """To be called right before the first statement whose transaction may commit data.

        From here on an end other than success is told as "may have written". Raises as check().
        """
        ...

    def data_rolled_back(self) -> None:
        """The transaction announced last is known to have been rolled back by the database."""
        ...
