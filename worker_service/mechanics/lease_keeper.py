"""Keeps the leases of all claims alive, and stops a handler before its lease can end."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.held_claim import HeldClaim, StopReason
from worker_service.mechanics.job_log import names_of
from worker_service.mechanics.scheduler import (
    BEATS_MAX,
    Beat,
    BeatAnswer,
    Directive,
    Scheduler,
    SchedulerRefused,
    SchedulerUnreachable,
)

LAST_BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class BeatTiming:
    """How often claims beat: all of them, those with progress to tell, those with a new phase."""

    beat_seconds: float
    news_seconds: float = 0.5
    phase_seconds: float = 0.25
    timeout_seconds_max: float = 5.0

    @property
    def timeout_seconds(self) -> float:
        """A heartbeat that takes longer than this is repeated."""
        return min(self.beat_seconds, self.timeout_seconds_max)


class LeaseKeeper:
    """Runs on the event loop of the process that does the work, so it beats no dead process.

    No answer is no news: the lease runs down, and its timer stops the handler.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        timing: BeatTiming,
        log: FilteringBoundLogger,
        on_drain: Callable[[], None],
    ) -> None:
        self._scheduler = scheduler
        self._timing = timing
        self._log = log
        self._on_drain = on_drain
        self._held: dict[tuple[int, int], HeldClaim] = {}
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._backoff = Backoff(0.1, max(0.2, timing.beat_seconds / 2))
        self._next_beat_at = 0.0
        self._last_sent_at = 0.0
        self._draining = False
        self._draining_told = False
        self._look: asyncio.TimerHandle | None = None
        self._look_at = 0.0

    @property
    def held(self) -> Sequence[HeldClaim]:
        """The claims in this process's hands."""
        return tuple(self._held.values())

    def take(self, job: ClaimedJob, asked_at: float) -> HeldClaim:
        """Keeps a claim's lease, counted from before it was asked for."""
        held = HeldClaim(job, asked_at)
        first_beat_at = asked_at + self._timing.beat_seconds
        if not self._held or first_beat_at < self._next_beat_at:
            self._next_beat_at = first_beat_at
            self._woken.set()
        self._held[job.job_id, job.claim_token] = held
        self._look_at_leases_by(held.stop_at)
        return held

    def drop(self, held: HeldClaim) -> None:
        """The run is over: no more beats for it."""
        self._held.pop((held.job.job_id, held.job.claim_token), None)

    def drain(self) -> None:
        """From now on the scheduler is told that this process takes no more work."""
        self._draining = True
        self._woken.set()

    async def leave(self) -> None:
        """The last beat: this process holds nothing and is no more. Tried once, for a moment;
        without an answer it will be taken for lost.
        """
        try:
            await self._scheduler.heartbeat((), draining=True, timeout_seconds=LAST_BEAT_SECONDS)
        except (SchedulerUnreachable, SchedulerRefused) as error:
            self._log.warning("last_beat_unanswered", reason=str(error))

    def wake_soon(self) -> None:
        """There is a new phase to tell. From any thread."""
        # A thread that outlives the loop has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._woken.set)

    async def keep(self) -> None:
        """Beats until it is cancelled. Ends by itself only with a defect's exception."""
        while True:
            await self._wait_until_due()
            leaving = self._draining and not self._draining_told
            # A draining beat without claims would be the last.
            everybody = leaving or seconds_now() >= self._next_beat_at
            claims = [held for held in self._held.values() if everybody or held.has_news()]
            if not claims:
                continue
            self._last_sent_at = seconds_now()
            answered = await self._beat(claims)
            pause = self._timing.beat_seconds if answered else self._backoff.next_seconds()
            if answered:
                self._backoff.reset()
                self._draining_told = self._draining
            if everybody or not answered:
                self._next_beat_at = self._last_sent_at + pause

    async def _wait_until_due(self) -> None:
        while (pause := self._pause_seconds()) is None or pause > 0:
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    def _pause_seconds(self) -> float | None:
        """Until the next beat is due; None with nothing to beat for."""
        now = seconds_now()
        if not self._held:
            return None
        if self._backoff.tries:
            return self._next_beat_at - now
        due_at = self._next_beat_at
        since = self._last_sent_at
        leaving = self._draining and not self._draining_told
        if leaving or any(held.has_new_phase() for held in self._held.values()):
            due_at = min(due_at, since + self._timing.phase_seconds)
        elif any(held.has_news() for held in self._held.values()):
            due_at = min(due_at, since + self._timing.news_seconds)
        else:
            # Ordinary progress wakes nobody; it is looked for.
            return min(due_at - now, self._timing.news_seconds) if due_at > now else 0.0
        return due_at - now

    async def _beat(self, claims: Sequence[HeldClaim]) -> bool:
        """Whether every claim got its answer."""
        try:
            for start in range(0, len(claims), BEATS_MAX):
                await self._beat_batch(claims[start : start + BEATS_MAX])
        except SchedulerUnreachable as error:
            self._log.warning("heartbeat_unanswered", reason=str(error), claims=len(claims))
            return False
        except SchedulerRefused as error:
            # Nothing a claim can do about it: the leases run down and the handlers stop in time.
            self._log.error("heartbeat_refused", reason=str(error), claims=len(claims))
            return False
        return True

    async def _beat_batch(self, claims: Sequence[HeldClaim]) -> None:
        sent_at = seconds_now()
        beats = [
            Beat(held.job.job_id, held.job.claim_token, held.untold_progress()) for held in claims
        ]
        pulse = await self._scheduler.heartbeat(beats, self._draining, self._timing.timeout_seconds)
        for held, beat in zip(claims, beats, strict=True):
            held.told(beat.progress)
        for answer in pulse.answers:
            self._apply(answer, sent_at)
        if pulse.drain and not self._draining:
            self._log.info("drain_ordered_by_scheduler")
            self._on_drain()

    def _apply(self, answer: BeatAnswer, sent_at: float) -> None:
        held = self._held.get((answer.job_id, answer.claim_token))
        if held is None:
            return
        match answer.directive:
            case Directive.CONTINUE:
                held.renew(sent_at + answer.lease_seconds_left)
            case Directive.CANCEL:
                self.stop(held, StopReason.CANCELLED)
            case Directive.LOST:
                self.stop(held, StopReason.LOST)
                self.drop(held)

    def stop(self, held: HeldClaim, reason: StopReason) -> None:
        """Stops a handler; says so loudly when it does not stop in time."""
        if not held.stop(reason):
            return
        self._log.warning("handler_stopped", reason=str(reason), **names_of(held.job))
        self._loop.call_later(held.margin_seconds, self._complain, held)

    def _complain(self, held: HeldClaim) -> None:
        if held.still_running():
            # Its commit, if any, is refused by the fence; its slot is gone until it ends.
            self._log.error(
                "handler_does_not_stop", stack=held.handler_stack(), **names_of(held.job)
            )

    def _look_at_leases_by(self, moment: float) -> None:
        """One timer for all claims, set to the first lease that could run out."""
        if self._look is not None:
            if moment >= self._look_at:
                return
            self._look.cancel()
        self._look_at = moment
        self._look = self._loop.call_later(max(0.0, moment - seconds_now()), self._look_at_leases)

    def _look_at_leases(self) -> None:
        self._look = None
        for held in tuple(self._held.values()):
            if held.ending or held.stop_reason is not None:
                continue
            if seconds_now() >= held.stop_at:
                self.stop(held, StopReason.LEASE_OVER)
            else:
                self._look_at_leases_by(held.stop_at)
