"""One claim in this process's hands: its lease, its progress, and the order to stop."""

import asyncio
from enum import StrEnum
from typing import Any

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Written
from worker_service.mechanics.scheduler import Progress

MARGIN_SHARE = 0.1
FRAMES_MAX = 8


class StopReason(StrEnum):
    """Why a handler was told to stop.

    LOST: another decides. STALE: refused by the scheduler, which does not say whether the claim is
    lost or drains after a cancel.
    """

    LOST = "LOST"
    STALE = "STALE"
    CANCELLED = "CANCELLED"
    LEASE_OVER = "LEASE_OVER"
    DRAINED = "DRAINED"


class HeldClaim:
    """Touched by the event loop only, but for `note_progress` and the reads of a step's thread.

    The lease is cut twice: its last margin belongs to whoever comes next, and the margin before
    that to stopping the handler and rolling back.
    """

    def __init__(self, job: ClaimedJob, asked_at: float) -> None:
        self.job = job
        self.lease_ends_at = asked_at + job.lease_seconds
        self.margin_seconds = job.lease_seconds * MARGIN_SHARE
        self.stop_reason: StopReason | None = None
        self.written = Written.NOTHING
        self.ending = False
        self._handler: asyncio.Task[None] | None = None
        self._handler_cancelled = False
        self._progress: Progress | None = None
        self._told: Progress | None = None

    @property
    def commit_before(self) -> float:
        """The moment from which on nothing may be committed any more."""
        return self.lease_ends_at - self.margin_seconds

    @property
    def stop_at(self) -> float:
        """The moment at which the handler is stopped, so that it is gone by `commit_before`."""
        return self.lease_ends_at - 2 * self.margin_seconds

    @property
    def lost(self) -> bool:
        """Whether the scheduler said that another decides about the job."""
        return self.stop_reason is StopReason.LOST

    def renew(self, lease_ends_at: float) -> None:
        """Both ends are lower bounds of the scheduler's own, so the later one counts."""
        self.lease_ends_at = max(self.lease_ends_at, lease_ends_at)

    def attach(self, handler: asyncio.Task[None]) -> None:
        """The task to cancel when the run must stop."""
        self._handler = handler

    def detach(self) -> bool:
        """The handler is over, and its task has other things to do: no stop cancels it any more.

        False when somebody else than `stop` has cancelled the task, too.
        """
        handler, self._handler = self._handler, None
        if handler is None:
            return True
        if self._handler_cancelled:
            handler.uncancel()
        return handler.cancelling() == 0

    def stop(self, reason: StopReason) -> bool:
        """Tells the handler to stop; False when it has ended or had been told.

        LOST overrides what was said before: there is nothing to give back any more.
        """
        if self.stop_reason is not None or self.ending:
            if reason is StopReason.LOST:
                self.stop_reason = reason
            return False
        self.stop_reason = reason
        if self._handler is not None:
            self._handler_cancelled = self._handler.cancel()
        return True

    def refused(self) -> None:
        """The scheduler refused a call of the handler, which knows; what was said before stays."""
        self.stop_reason = self.stop_reason or StopReason.STALE

    def still_running(self) -> bool:
        """Whether the handler goes on although it was told to stop."""
        return self._handler is not None and not self._handler.done()

    def handler_stack(self) -> str:
        """Where the handler stands, innermost call last."""
        frames: list[str] = []
        waits_for: Any = self._handler.get_coro() if self._handler is not None else None
        while (frame := getattr(waits_for, "cr_frame", None)) is not None:
            frames.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
            waits_for = waits_for.cr_await
        return " > ".join(frames[-FRAMES_MAX:])

    def note_progress(self, progress: Progress) -> bool:
        """Keeps the latest progress; True when its phase is a new one."""
        before, self._progress = self._progress, progress
        return before is None or before.phase != progress.phase

    def has_news(self) -> bool:
        """Whether there is progress that the scheduler was not told."""
        return self._progress is not self._told

    def has_new_phase(self) -> bool:
        """Whether the phase changed since the scheduler was told last."""
        if self._progress is None:
            return False
        return self._told is None or self._told.phase != self._progress.phase

    def untold_progress(self) -> Progress | None:
        """The latest progress if it is news."""
        return self._progress if self.has_news() else None

    def told(self, progress: Progress | None) -> None:
        """This progress reached the scheduler."""
        if progress is not None:
            self._told = progress
