"""Claims as many jobs as the worker has room for, and no more."""

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.outcome import Written
from worker_service.mechanics.readiness import Readiness
from worker_service.mechanics.scheduler import (
    BEATS_MAX,
    ClaimRequest,
    Release,
    ReleaseReason,
    Scheduler,
    SchedulerRefused,
    SchedulerUnreachable,
)

CLAIM_MAX = 500
# While the jobs of one full claim are started, the scheduler works on the next.
CLAIM_CALLS_MAX = 2
# A long poll uses up the lease of its jobs: the lease counts from before the call was sent.
WAIT_SHARE_OF_LEASE = 0.25
WAIT_SECONDS_MAX = 20.0
# Jobs that end at about the same time are replaced by one claim.
LINGER_SECONDS = 0.003
LAST_CLAIM_SECONDS = 2.0
# A shorter lease leaves no time for heartbeats, nor for the margins in which a run must end.
LEASE_SECONDS_MIN = 0.5


class LeaseTooShort(Exception):
    """The scheduler gives leases by which this worker cannot run jobs. The message says why."""


class Arrival(NamedTuple):
    """A claimed job, and when its claim was sent. Its lease counts from that moment."""

    job: ClaimedJob
    asked_at: float


class Concurrency:
    """Bounds how many jobs run at once.

    A job counts until its step has ended. It does not count while the scheduler has yet to answer
    its Finish or Release, unless more than `maximum` jobs wait for such an answer. A claim in
    flight reserves room for the jobs that it may bring.
    """

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.tasks: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._reserved = 0
        self._freed = asyncio.Event()

    @property
    def free(self) -> int:
        """How many jobs may be claimed now."""
        room = min(self.maximum - len(self._running), 2 * self.maximum - len(self.tasks))
        return room - self._reserved

    def reserve(self, count: int) -> None:
        """Keeps room for `count` jobs, until each is started or its room is freed."""
        self._reserved += count

    def free_reserved(self, count: int) -> None:
        """Frees room reserved for `count` jobs that did not come or are not started."""
        self._reserved -= count
        self._freed.set()

    def add(self, task: asyncio.Task[None]) -> None:
        """Counts a job in reserved room, until its step has ended or its task is done."""
        self._reserved -= 1
        self.tasks.add(task)
        self._running.add(task)
        task.add_done_callback(self._done)

    def step_ended(self, task: asyncio.Task[None]) -> None:
        """Counts the job no longer: its step has ended."""
        self._running.discard(task)
        self._freed.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self._running.discard(task)
        self._freed.set()

    async def wait_for_free(self) -> int:
        """Waits until a job may be claimed. Returns how many may be."""
        while True:
            while self.free <= 0:
                self._freed.clear()
                await self._freed.wait()
            if self.tasks and self.free < self.maximum / 4:
                await asyncio.sleep(LINGER_SECONDS)
            # Another claim may have reserved it meanwhile.
            if (free := self.free) > 0:
                return free


class ClaimLoop:
    """Claims jobs and hands them to `start`, with the moment from which their lease counts.

    While the worker is not ready, it sends no claims, and releases the jobs of one that was sent.
    `lease_seconds` is what the scheduler is expected to give; the jobs that it sends correct it,
    and `lease_changed` is called before they start.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        job_types: tuple[str, ...],
        concurrency: Concurrency,
        start: Callable[[ClaimedJob, float], None],
        *,
        readiness: Readiness,
        lease_changed: Callable[[float], Awaitable[None]],
        log: FilteringBoundLogger,
        lease_seconds: float,
    ) -> None:
        self._scheduler = scheduler
        self._job_types = job_types
        self._concurrency = concurrency
        self._start = start
        self._readiness = readiness
        self._lease_changed = lease_changed
        # That of `run`.
        self._drain = Drain()
        self._log = log
        self._lease_seconds = lease_seconds
        self._unanswered: dict[str, ClaimRequest] = {}
        self._backlog = asyncio.Event()
        # Claimed and not yet started. Kept here so that a drain in between loses none.
        self._arrived: deque[Arrival] = deque()
        # Of jobs that were claimed, but too late to start, or while the worker is not ready.
        self._returns: list[Release] = []
        self._releasing = False

    async def run(self, drain: Drain) -> None:
        """Claims and starts jobs until a drain is requested, by the scheduler too; then releases
        what was not started.

        Raises SchedulerRefused if Claim itself is refused, and LeaseTooShort.
        """
        self._drain = drain
        polls = [
            asyncio.create_task(self._poll(always=number == 0), name="claim")
            for number in range(CLAIM_CALLS_MAX)
        ]
        draining = asyncio.create_task(drain.requested.wait(), name="drain")
        try:
            await asyncio.wait({*polls, draining}, return_when=asyncio.FIRST_COMPLETED)
            failed = [poll for poll in polls if poll.done()]
            for poll in polls:
                poll.cancel()
            await asyncio.wait(polls)
            await self._release_the_last()
            for poll in failed:
                # A poll ends by an error only.
                poll.result()
        finally:
            for poll in polls:
                poll.cancel()
            draining.cancel()

    async def _poll(self, *, always: bool) -> None:
        """Claims again and again; if not `always`, only while claims come back full."""
        claiming: asyncio.Task[None] | None = None
        try:
            while True:
                if claiming is None:
                    if not always:
                        await self._backlog.wait()
                    claiming = self._start_claim(await self._free_and_ready())
                await claiming
                claiming = self._claim_again(always=always)
                # The next call is sent before the jobs of this one are started.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                await self._follow_lease()
                self._start_arrived_jobs()
                await self._release_returns()
        finally:
            if claiming is not None:
                claiming.cancel()

    async def _free_and_ready(self) -> int:
        """Waits until a job may be claimed, and what jobs need can be used. Returns how many."""
        while True:
            free = await self._concurrency.wait_for_free()
            if self._readiness.is_ready:
                return free
            await self._readiness.wait()

    async def _follow_lease(self) -> None:
        """Before jobs with another lease than expected are started."""
        leases = {arrival.job.lease_seconds for arrival in self._arrived}
        if not leases or leases == {self._lease_seconds}:
            return
        lease_seconds = min(leases)
        if lease_seconds < LEASE_SECONDS_MIN:
            raise LeaseTooShort(
                f"the scheduler gives leases of {lease_seconds:g} s, and a worker needs at least "
                f"{LEASE_SECONDS_MIN:g} s: raise the scheduler's CARBONLINE_LEASE_SECONDS"
            )
        self._log.info("lease_followed", seconds=lease_seconds, expected=self._lease_seconds)
        await self._lease_changed(lease_seconds)
        self._lease_seconds = lease_seconds

    def _start_arrived_jobs(self) -> None:
        while self._arrived:
            job, asked_at = self._arrived.popleft()
            if reason := self._readiness.reason:
                self._return(job, ReleaseReason.NOT_READY, f"not ready: {reason}")
            elif asked_at + job.lease_seconds - 3 * job.margin_seconds > seconds_now():
                self._start(job, asked_at)
            else:
                # Its lease may be over before its first heartbeat is answered.
                self._return(job, ReleaseReason.DRAIN)

    def _return(self, job: ClaimedJob, reason: ReleaseReason, message: str = "") -> None:
        self._returns.append(_release_of(job, reason, message))
        self._concurrency.free_reserved(1)

    async def _release_returns(self) -> None:
        """Releases jobs together, after all others were started. One poll at a time does."""
        if self._releasing:
            return
        self._releasing = True
        try:
            while returns := tuple(self._returns):
                late = sum(one.reason is ReleaseReason.DRAIN for one in returns)
                if late:
                    self._log.warning("claims_came_too_late", claims=late)
                await self._release(returns)
                del self._returns[: len(returns)]
        finally:
            self._releasing = False

    def _claim_again(self, *, always: bool) -> asyncio.Task[None] | None:
        left = self._concurrency.free
        wanted = not self._readiness.reason and (always or self._backlog.is_set())
        return self._start_claim(left) if wanted and left > 0 else None

    def _start_claim(self, free: int) -> asyncio.Task[None]:
        max_jobs = min(free, CLAIM_MAX)
        self._concurrency.reserve(max_jobs)
        return asyncio.create_task(self._claim(max_jobs), name="claim-call")

    async def _claim(self, max_jobs: int) -> None:
        """Makes one claim. Repeats it under its request_id until it is answered."""
        wait_seconds = min(WAIT_SECONDS_MAX, self._lease_seconds * WAIT_SHARE_OF_LEASE)
        request = ClaimRequest(str(uuid.uuid4()), self._job_types, max_jobs, wait_seconds)
        backoff = Backoff()
        self._unanswered[request.request_id] = request
        while True:
            asked_at = seconds_now()
            try:
                reply = await self._scheduler.claim(request)
            except SchedulerUnreachable as error:
                self._log.warning("claim_unanswered", reason=str(error), tries=backoff.tries + 1)
                await asyncio.sleep(backoff.next_seconds())
            else:
                jobs = reply.jobs
                del self._unanswered[request.request_id]
                self._concurrency.free_reserved(max_jobs - len(jobs))
                self._arrived.extend(Arrival(job, asked_at) for job in jobs)
                if len(jobs) == CLAIM_MAX:
                    self._backlog.set()
                else:
                    self._backlog.clear()
                if reply.drain:
                    self._drain.request_by_scheduler(self._log)
                return

    async def _release_the_last(self) -> None:
        """Releases jobs that were claimed and not started.

        A claim that was in flight may have been granted. It is repeated once without a wait, and
        its jobs are released too.
        """
        arrived = [_release_of(one.job, ReleaseReason.DRAIN) for one in self._arrived]
        await self._release([*self._returns, *arrived])
        for request in self._unanswered.values():
            try:
                async with asyncio.timeout(LAST_CLAIM_SECONDS):
                    reply = await self._scheduler.claim(replace(request, wait_seconds=0.0))
            except (SchedulerUnreachable, SchedulerRefused, TimeoutError) as error:
                self._log.warning("last_claim_unanswered", reason=str(error))
                continue
            await self._release([_release_of(job, ReleaseReason.DRAIN) for job in reply.jobs])

    async def _release(self, releases: Sequence[Release]) -> None:
        for start in range(0, len(releases), BEATS_MAX):
            part = releases[start : start + BEATS_MAX]
            # If this is unanswered or refused, the leases expire by themselves.
            try:
                await self._scheduler.release(part)
            except SchedulerUnreachable as error:
                self._log.warning("release_unanswered", reason=str(error), jobs=len(part))
            except SchedulerRefused as refused:
                self._log.error("release_refused", error=str(refused), jobs=len(part))


def _release_of(job: ClaimedJob, reason: ReleaseReason, message: str = "") -> Release:
    return Release(job.job_id, job.claim_token, reason, Written.NOTHING, message)
