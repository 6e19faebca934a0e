"""The interface through which a store is counted, timed and logged."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from scheduler_service.jobs.requests import (
    ClaimRequest,
    FinishAnswer,
    FinishRequest,
    Pause,
    PeriodLock,
    Refused,
    Submission,
    Submitted,
    WorkerDrain,
)
from scheduler_service.jobs.schedules import TickDone
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.removed import Removed
from scheduler_service.store.core.set_aside import SetAside
from scheduler_service.store.core.unit_of_work import UnitOfWork


class Observer:
    """Does nothing. Subclass it and override what you need.

    Its methods are called in the event loop, between the calls of thousands of workers: they
    must not wait.
    """

    # Whether `passed_over` is to be told: it costs a statement for each Claim that gets too little.
    wants_passed_over = False

    def timed(self, operation: str) -> AbstractContextManager[None]:  # noqa: ARG002 - for others
        """A context that is entered for as long as an operation takes.

        `operation` is submit, claim, heartbeat, chain, finish, release, cancel, recover, retry,
        sweep or backstop.
        """
        return nullcontext()

    def gathered(self, operation: str, calls: int) -> None:
        """`calls` calls share a batch; of submit and finish, so many items."""

    def submitted(self, answers: Iterable[tuple[Submission, Submitted | Refused]]) -> None:
        """Submissions were answered, each with its answer."""

    def claimed(self, request: ClaimRequest, claims: Sequence[Claimed]) -> None:
        """A request was answered with these claims."""

    def passed_over(self, request: ClaimRequest, job_ids: Sequence[int]) -> None:
        """A request got fewer jobs than it asked for, and others hold these claimable ones."""

    def finished(self, answers: Iterable[tuple[FinishRequest, FinishAnswer | Refused]]) -> None:
        """Finish requests were answered, each with its answer."""

    def neglected(self, keys: int) -> None:
        """The backstop moved so many keys on. Anything but 0 is a defect."""

    def removed(self, removed: Removed) -> None:
        """A look for what is kept for a while only has deleted this."""

    def paused(self, pauses: Sequence[Pause]) -> None:
        """Somebody asked for these pauses; some may have lasted before."""

    def drain_asked(self, drain: WorkerDrain) -> None:
        """Somebody told a worker to drain, perhaps again."""

    def resumed(self, pauses: Sequence[Pause]) -> None:
        """Somebody ended these pauses."""

    def set_aside(self, items: Sequence[SetAside]) -> None:
        """A sweep, or a Claim, failed at these, and they are left alone for a while."""

    def ticked(self, done: Sequence[TickDone]) -> None:
        """Schedules have ticked, and this came of it."""

    def locked(self, lock: PeriodLock) -> None:
        """Somebody asked for this lock; it may have lasted before."""

    def unlocked(self, lock: PeriodLock, principal: str) -> None:
        """The principal ended this lock."""

    def committed(self, unit: UnitOfWork) -> None:
        """A unit of work was committed."""
