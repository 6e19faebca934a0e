"""The handle of a run: all that a step sees of the worker around it."""

from collections.abc import Sequence
from typing import Protocol

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.scheduler import ChildRequest


class ClaimLost(Exception):
    """This claim no longer holds the job, or its lease is nearly over: roll back and stop."""


class JobCancelled(Exception):
    """The pipeline of this job was cancelled: roll back and stop."""


class Run(Protocol):
    """One run of one claimed job. Its step's task is cancelled when the run must stop."""

    @property
    def job(self) -> ClaimedJob:
        """The job with its ledger scope, payload and claim token."""
        ...

    def progress(self, done: int, total: int = 0, phase: str = "", message: str = "") -> None:
        """Publishes how far the run is. A total of 0 means unknown.

        Cheap, and callable from any thread. Only the latest progress is sent. Raises TypeError or
        ValueError for a number that is not whole, is negative or needs more than 63 bits.
        """
        ...

    def deadline_seconds(self) -> float:
        """Seconds left in which the run may still commit. 0 if it may not."""
        ...

    def check(self) -> None:
        """Raises ClaimLost or JobCancelled if the run must stop. Callable from any thread."""
        ...

    async def chain(self, children: Sequence[ChildRequest]) -> int:
        """Stages jobs that are queued when this one ends well. Returns how many are staged.

        Repeats the call until the scheduler answers or the lease is over. Raises ClaimLost or
        JobCancelled as `check`, and ClaimLost if the scheduler says that the claim is stale.
        """
        ...

    def data_commit_starts(self) -> None:
        """Call it right before the first statement whose transaction may commit data.

        From here on, a run that does not succeed is reported as one that may have written. Raises
        as `check`.
        """
        ...

    def data_rolled_back(self) -> None:
        """Call it when the database has rolled back the transaction announced last."""
        ...
