"""One claim that this process holds: its lease, its progress, and whether it must stop."""

import asyncio
from enum import StrEnum
from typing import Any

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.outcome import Written
from worker_service.mechanics.scheduler import Progress

FRAMES_MAX = 8


class StopReason(StrEnum):
    """Why a handler was told to stop.

    LOST: the scheduler said that this claim no longer holds the job. STALE: it refused a call of
    the claim, which is either lost or cancelled. CANCELLED: the pipeline was cancelled. LEASE_OVER:
    the lease was not renewed in time. DRAINED: the worker ends and the grace period is over.
    """

    LOST = "LOST"
    STALE = "STALE"
    CANCELLED = "CANCELLED"
    LEASE_OVER = "LEASE_OVER"
    DRAINED = "DRAINED"


class HeldClaim:
    """A claim's lease, progress and stop reason.

    `asked_at` is the moment before the claim was sent, from which the lease counts. Nothing is
    committed in the last margin of the lease, so that the next claim finds no commit under way. The
    margin before that is for stopping the handler and rolling back.

    Use it on the event loop only; `note_progress` and the properties work on any thread.
    """

    def __init__(self, job: ClaimedJob, asked_at: float) -> None:
        self.job = job
        self.taken_at = seconds_now()
        self.lease_ends_at = asked_at + job.lease_seconds
        self.margin_seconds = job.margin_seconds
        self.stop_reason: StopReason | None = None
        # What the lease keeper said of the scheduler when it stopped the handler.
        self.silence = ""
        self.written = Written.NOTHING
        self.ending = False
        self._handler: asyncio.Task[None] | None = None
        self._handler_cancelled = False
        self._progress: Progress | None = None
        self._sent: Progress | None = None

    @property
    def commit_before(self) -> float:
        """The moment from which nothing may be committed, on the clock of `seconds_now`."""
        return self.lease_ends_at - self.margin_seconds

    @property
    def stop_at(self) -> float:
        """The moment to stop the handler, so that it has ended by `commit_before`."""
        return self.lease_ends_at - 2 * self.margin_seconds

    @property
    def lost(self) -> bool:
        """Whether the scheduler said that this claim no longer holds the job."""
        return self.stop_reason is StopReason.LOST

    def renew(self, lease_ends_at: float) -> None:
        """Extends the lease, never shortens it.

        The end known so far and the new one are both lower bounds of the scheduler's own.
        """
        self.lease_ends_at = max(self.lease_ends_at, lease_ends_at)

    def attach(self, handler: asyncio.Task[None]) -> None:
        """Sets the task to cancel when the run must stop."""
        self._handler = handler

    def detach(self) -> bool:
        """Ends what `attach` began: no stop cancels the task any more.

        False if something else than `stop` has cancelled the task too.
        """
        handler, self._handler = self._handler, None
        if handler is None:
            return True
        if self._handler_cancelled:
            handler.uncancel()
        return handler.cancelling() == 0

    def stop(self, reason: StopReason) -> bool:
        """Cancels the handler. False if it has ended or was stopped before.

        LOST replaces an earlier reason: there is no claim to release any more.
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
        """Notes that the scheduler refused a call of the handler. An earlier reason stays."""
        self.stop_reason = self.stop_reason or StopReason.STALE

    def still_running(self) -> bool:
        """Whether the handler has not ended."""
        return self._handler is not None and not self._handler.done()

    def handler_stack(self) -> str:
        """Where the handler waits: function names and lines, the innermost call last."""
        frames: list[str] = []
        waits_for: Any = self._handler.get_coro() if self._handler is not None else None
        while (frame := getattr(waits_for, "cr_frame", None)) is not None:
            frames.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
            waits_for = waits_for.cr_await
        return " > ".join(frames[-FRAMES_MAX:])

    def note_progress(self, progress: Progress) -> bool:
        """Keeps the latest progress. True if its phase has changed."""
        before, self._progress = self._progress, progress
        return before is None or before.phase != progress.phase

    def has_unsent_progress(self) -> bool:
        """Whether there is progress that was not sent to the scheduler."""
        return self._progress is not self._sent

    def has_unsent_phase(self) -> bool:
        """Whether the phase has changed since progress was last sent."""
        if self._progress is None:
            return False
        return self._sent is None or self._sent.phase != self._progress.phase

    def unsent_progress(self) -> Progress | None:
        """The latest progress. None if it was sent."""
        return self._progress if self.has_unsent_progress() else None

    def progress_sent(self, progress: Progress | None) -> None:
        """Notes that this progress has reached the scheduler."""
        if progress is not None:
            self._sent = progress
