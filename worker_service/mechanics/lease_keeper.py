"""Renews the leases of all claims, and stops a handler before its lease can expire."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.held_claim import HeldClaim, StopReason
from worker_service.mechanics.job_log import fields_of
from worker_service.mechanics.scheduler import (
    BEATS_MAX,
    Beat,
    BeatAnswer,
    Directive,
    NotReady,
    Progress,
    Scheduler,
    SchedulerRefused,
    SchedulerUnreachable,
)

LAST_BEAT_SECONDS = 1.0
# Of a worker that holds nothing, and so does not know what lease the scheduler gives.
NOT_READY_BEAT_SECONDS_MAX = 2.0


@dataclass(frozen=True, slots=True)
class BeatTiming:
    """How often heartbeats are sent.

    Every claim is in one at least every `beat_seconds`, and more often if its lease asks for it; a
    claim with new progress after `progress_seconds`, one with a new phase after `phase_seconds`,
    both counted from its start or the last heartbeat: a short job costs none.
    """

    beat_seconds: float
    progress_seconds: float = 0.5
    phase_seconds: float = 0.25
    timeout_seconds_max: float = 5.0


class LeaseKeeper:
    """Sends heartbeats for all claims that this process holds.

    It runs on the event loop of the process that does the work, so leases are not renewed for a
    process that hangs. While heartbeats are not answered, leases run down, and a timer stops each
    handler in time. `on_drain` is called if the scheduler asks this process to drain.
    `job_types` are those that this process runs.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        timing: BeatTiming,
        job_types: Iterable[str],
        log: FilteringBoundLogger,
        on_drain: Callable[[], None],
    ) -> None:
        self._scheduler = scheduler
        self._timing = timing
        self._job_types = tuple(job_types)
        self._log = log
        self._on_drain = on_drain
        self._held: dict[tuple[int, int], HeldClaim] = {}
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._beat_seconds = timing.beat_seconds
        self._backoff = Backoff(0.1, max(0.2, timing.beat_seconds / 2))
        self._next_beat_at = 0.0
        self._last_sent_at = 0.0
        self._draining = False
        self._draining_sent = False
        self._not_ready = ""
        # What the scheduler knows; None while it is not known whether it has the newest.
        self._not_ready_sent: str | None = ""
        self._lease_timer: asyncio.TimerHandle | None = None
        self._lease_timer_at = 0.0

    @property
    def held(self) -> Sequence[HeldClaim]:
        """The claims that this process holds."""
        return tuple(self._held.values())

    @property
    def silence(self) -> str:
        """That the scheduler has left several heartbeats unanswered; "" if it has not."""
        # One may also time out because a handler has blocked the event loop.
        return "the scheduler does not answer" if self._backoff.tries > 1 else ""

    def take(self, job: ClaimedJob, asked_at: float) -> HeldClaim:
        """Starts to renew a claim's lease, which counts from `asked_at`."""
        held = HeldClaim(job, asked_at)
        # Who hands out a job answers again. Without it, no progress is told for a whole beat.
        self._backoff.reset()
        self._beat_by(job)
        first_beat_at = asked_at + self._beat_seconds
        if not self._held or first_beat_at < self._next_beat_at:
            self._next_beat_at = first_beat_at
            self._woken.set()
        self._held[job.job_id, job.claim_token] = held
        self._check_leases_by(held.stop_at)
        return held

    def _beat_by(self, job: ClaimedJob) -> None:
        """Follows what the scheduler asks for, which may not be what the settings say."""
        self._beat_seconds = min(self._timing.beat_seconds, job.beat_seconds)
        self._backoff.max_seconds = max(0.2, self._beat_seconds / 2)

    def drop(self, held: HeldClaim) -> None:
        """Stops renewing the lease: the run has ended."""
        self._held.pop((held.job.job_id, held.job.claim_token), None)

    def drain(self) -> None:
        """From now on heartbeats say that this process takes no more jobs."""
        self._draining = True
        self._woken.set()

    def report_not_ready(self, reason: str) -> None:
        """From now on heartbeats say why this process claims no jobs; "" if it does."""
        self._not_ready = reason
        self._woken.set()

    @property
    def is_known(self) -> bool:
        """Whether the scheduler may have heard of this process by a heartbeat."""
        return self._last_sent_at > 0

    async def send_last_beat(self) -> None:
        """Sends the last heartbeat, which says that this process has ended in order.

        Sent once, with a deadline of LAST_BEAT_SECONDS. Without an answer, the scheduler will show
        this worker as lost.
        """
        try:
            await self._scheduler.heartbeat((), draining=True, timeout_seconds=LAST_BEAT_SECONDS)
        except (SchedulerUnreachable, SchedulerRefused) as error:
            self._log.warning("last_heartbeat_unanswered", reason=str(error))

    def wake_soon(self) -> None:
        """Sends a heartbeat soon, for a new phase. Callable from any thread."""
        # A thread may outlive the loop.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Sends heartbeats until it is cancelled. Ends otherwise only by a defect's exception."""
        while True:
            await self._wait_until_due()
            all_claims = self._has_news() or seconds_now() >= self._next_beat_at
            claims = [
                held for held in self._held.values() if all_claims or held.has_unsent_progress()
            ]
            if not claims and not self._speaks_without_claims():
                continue
            draining, not_ready = self._draining, self._not_ready
            self._last_sent_at = seconds_now()
            if not_ready != self._not_ready_sent:
                self._not_ready_sent = None
            answered = await self._beat(claims)
            pause = self._beat_seconds if answered else self._backoff.next_seconds()
            if answered and not claims:
                pause = min(pause, NOT_READY_BEAT_SECONDS_MAX)
            if answered:
                self._backoff.reset()
                self._draining_sent, self._not_ready_sent = draining, not_ready
            if all_claims or not answered:
                self._next_beat_at = self._last_sent_at + pause

    async def _wait_until_due(self) -> None:
        while (pause := self._pause_seconds()) is None or pause > 0:
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    def _pause_seconds(self) -> float | None:
        """Seconds until the next heartbeat is due. None if there is nothing to say."""
        now = seconds_now()
        if not self._held and not self._speaks_without_claims():
            return None
        if self._backoff.tries:
            return self._next_beat_at - now
        due_at = self._next_beat_at
        since = self._last_sent_at
        has_news = self._has_news()
        unsent = [held for held in self._held.values() if held.has_unsent_progress()]
        if not unsent and not has_news:
            # New progress without a new phase does not wake this loop, so it looks for some.
            return min(due_at - now, self._timing.progress_seconds) if due_at > now else 0.0
        if has_news:
            due_at = min(due_at, since + self._timing.phase_seconds)
        # Each for itself: short jobs, which end before they are told of, put off nobody else.
        for held in unsent:
            is_phase = held.has_unsent_phase()
            after = self._timing.phase_seconds if is_phase else self._timing.progress_seconds
            due_at = min(due_at, max(since, held.taken_at) + after)
        return due_at - now

    @property
    def _timeout_seconds(self) -> float:
        """The deadline of one heartbeat. One without an answer by then is repeated."""
        return min(self._beat_seconds, self._timing.timeout_seconds_max)

    def _has_news(self) -> bool:
        """Whether there is something about the worker itself that the scheduler does not know."""
        says_draining = self._draining and not self._draining_sent
        return says_draining or self._not_ready != self._not_ready_sent

    def _speaks_without_claims(self) -> bool:
        """Whether the scheduler hears nothing of this worker but by a heartbeat without claims."""
        # If it drained, such a heartbeat would be taken for the last one.
        return not self._draining and (self._not_ready, self._not_ready_sent) != ("", "")

    async def _beat(self, claims: Sequence[HeldClaim]) -> bool:
        """Whether every claim got an answer."""
        try:
            for start in range(0, max(1, len(claims)), BEATS_MAX):
                await self._beat_batch(claims[start : start + BEATS_MAX])
        except SchedulerUnreachable as error:
            self._log.warning("heartbeat_unanswered", reason=str(error), claims=len(claims))
            return False
        except SchedulerRefused as error:
            # A claim cannot help it: the leases run down, and the handlers are stopped in time.
            self._log.error("heartbeat_refused", reason=str(error), claims=len(claims))
            return False
        return True

    async def _beat_batch(self, claims: Sequence[HeldClaim]) -> None:
        """Progress of which no message can be made is dropped: the leases are renewed."""
        unsent = [held.unsent_progress() for held in claims]
        try:
            await self._send_batch(claims, unsent)
        except (SchedulerUnreachable, SchedulerRefused):
            raise
        except Exception as error:
            if not any(unsent):
                raise
            if len(claims) > 1:
                for held in claims:
                    await self._beat_batch([held])
                return
            self._log.error("progress_dropped", exc_info=error, **fields_of(claims[0].job))
            claims[0].progress_sent(unsent[0])
            await self._send_batch(claims, [None])

    async def _send_batch(
        self, claims: Sequence[HeldClaim], unsent: Sequence[Progress | None]
    ) -> None:
        sent_at = seconds_now()
        beats = [
            Beat(held.job.job_id, held.job.claim_token, progress)
            for held, progress in zip(claims, unsent, strict=True)
        ]
        heartbeat_reply = await self._scheduler.heartbeat(
            beats,
            self._draining,
            self._timeout_seconds,
            NotReady(self._not_ready, self._job_types) if self._not_ready else None,
        )
        for held, beat in zip(claims, beats, strict=True):
            held.progress_sent(beat.progress)
        for answer in heartbeat_reply.answers:
            self._apply(answer, sent_at)
        if heartbeat_reply.drain and not self._draining:
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
        """Stops a handler. Logs an error if it does not end within the margin."""
        if not held.stop(reason):
            return
        self._log.warning("handler_stopped", reason=str(reason), **fields_of(held.job))
        self._loop.call_later(held.margin_seconds, self._log_if_still_running, held)

    def _log_if_still_running(self, held: HeldClaim) -> None:
        if held.still_running():
            # If it commits, the fence refuses it. It counts as running until it ends.
            self._log.error(
                "handler_does_not_stop", stack=held.handler_stack(), **fields_of(held.job)
            )

    def _check_leases_by(self, moment: float) -> None:
        """Sets the one timer of all claims to the first lease that may expire."""
        if self._lease_timer is not None:
            if moment >= self._lease_timer_at:
                return
            self._lease_timer.cancel()
        self._lease_timer_at = moment
        self._lease_timer = self._loop.call_later(
            max(0.0, moment - seconds_now()), self._check_leases
        )

    def _check_leases(self) -> None:
        self._lease_timer = None
        for held in tuple(self._held.values()):
            if held.ending or held.stop_reason is not None:
                continue
            if seconds_now() >= held.stop_at:
                held.silence = self.silence
                self.stop(held, StopReason.LEASE_OVER)
            else:
                self._check_leases_by(held.stop_at)
