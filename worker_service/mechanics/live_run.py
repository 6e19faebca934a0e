"""The run that a step gets in production: a claim, its lease keeper and the scheduler."""

import asyncio
import operator
from collections.abc import Sequence

from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.held_claim import HeldClaim, StopReason
from worker_service.mechanics.lease_keeper import LeaseKeeper
from worker_service.mechanics.outcome import Written
from worker_service.mechanics.run import ClaimLost, JobCancelled
from worker_service.mechanics.scheduler import (
    ChildRequest,
    Progress,
    Scheduler,
    SchedulerRefused,
    SchedulerUnreachable,
)

PHASE_CHARACTERS_MAX = 64
PROGRESS_MESSAGE_CHARACTERS_MAX = 512
# What a message of the wire takes.
PROGRESS_MAX = 2**63 - 1


class LiveRun:
    """Implements worker_service.mechanics.run.Run, which documents each method."""

    def __init__(self, held: HeldClaim, keeper: LeaseKeeper, scheduler: Scheduler) -> None:
        self._held = held
        self._keeper = keeper
        self._scheduler = scheduler

    @property
    def job(self) -> ClaimedJob:
        """The claimed job."""
        return self._held.job

    def progress(self, done: int, total: int = 0, phase: str = "", message: str = "") -> None:
        """Keeps the progress. A new phase is sent soon, the rest with the next heartbeat."""
        progress = Progress(
            _count("done", done),
            _count("total", total),
            _checked("phase", phase)[:PHASE_CHARACTERS_MAX],
            _checked("message", message)[:PROGRESS_MESSAGE_CHARACTERS_MAX],
        )
        if self._held.note_progress(progress):
            self._keeper.wake_soon()

    def deadline_seconds(self) -> float:
        """Seconds until the last margin of the lease begins."""
        return max(0.0, self._held.commit_before - seconds_now())

    def check(self) -> None:
        """Raises if the run was told to stop, or may not commit any more."""
        match self._held.stop_reason:
            case StopReason.CANCELLED:
                raise JobCancelled(f"job {self.job.job_id} was cancelled")
            case None if seconds_now() < self._held.commit_before:
                return
            case reason:
                why = reason or StopReason.LEASE_OVER
                raise ClaimLost(f"claim {self.job.claim_token} must stop: {why}")

    async def chain(self, children: Sequence[ChildRequest]) -> int:
        """Idempotent: a `child_key` that this claim staged before is replaced."""
        backoff = Backoff()
        while True:
            self.check()
            try:
                return await self._scheduler.chain(self.job.job_id, self.job.claim_token, children)
            except SchedulerRefused as refused:
                if refused.reason == "STALE_CLAIM":
                    self._held.refused()
                    raise ClaimLost(str(refused)) from refused
                raise
            except SchedulerUnreachable:
                await asyncio.sleep(backoff.next_seconds())

    def data_commit_starts(self) -> None:
        """From here on only the database knows. Raises first if the run must stop."""
        self.check()
        self._held.written = Written.UNKNOWN

    def data_rolled_back(self) -> None:
        """The run has written nothing after all."""
        self._held.written = Written.NOTHING


def _count(name: str, value: object) -> int:
    """Here, where the handler gets the error: what no message takes fails the heartbeat later."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # a handler's mistake in question
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"progress: {name} must be a whole number, not a {kind}") from None
    if not 0 <= number <= PROGRESS_MAX:
        raise ValueError(f"progress: {name} must be from 0 to {PROGRESS_MAX}, not {number}")
    return number


def _checked(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"progress: {name} must be a text, not a {type(text).__name__}")
    return text
