"""Claims as many jobs as there are free slots, and no more."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.held_claim import MARGIN_SHARE
from worker_service.mechanics.outcome import Written
from worker_service.mechanics.scheduler import (
    BEATS_MAX,
    ClaimWish,
    GiveBack,
    GiveBackReason,
    Scheduler,
    SchedulerRefused,
    SchedulerUnreachable,
)

CLAIM_MAX = 500
# While one full claim is read and started, the next is decided on.
CLAIMS_MAX = 2
# A poll eats from the lease of what it brings, since the lease counts from before it was sent.
WAIT_SHARE_OF_LEASE = 0.25
WAIT_SECONDS_MAX = 20.0
# Slots that come free together are asked for together.
LINGER_SECONDS = 0.003
LAST_CLAIM_SECONDS = 2.0


class Arrival(NamedTuple):
    """A job and the moment before it was asked for, from which its lease counts."""

    job: ClaimedJob
    asked_at: float


class Slots:
    """How many jobs run at once: a bound and a bell.

    A slot is free again when its step is over; that the scheduler has yet to answer holds up no
    other job, as long as not more than a worker's worth of ends waits for its answers. What has
    been asked for is kept free.
    """

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.tasks: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._kept = 0
        self._freed = asyncio.Event()

    @property
    def free(self) -> int:
        """How many jobs may be asked for now."""
        room = min(self.concurrency - len(self._running), 2 * self.concurrency - len(self.tasks))
        return room - self._kept

    def keep(self, count: int) -> None:
        """So many jobs are asked for: each takes its slot, or is given up."""
        self._kept += count

    def give_up(self, count: int) -> None:
        """So many have not come, or are not started."""
        self._kept -= count
        self._freed.set()

    def put(self, task: asyncio.Task[None]) -> None:
        """Takes a kept slot until its step has ended, or the task is done."""
        self._kept -= 1
        self.tasks.add(task)
        self._running.add(task)
        task.add_done_callback(self._done)

    def step_ended(self, task: asyncio.Task[None]) -> None:
        """The task's step is over."""
        self._running.discard(task)
        self._freed.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self._running.discard(task)
        self._freed.set()

    async def some_free(self) -> int:
        """Waits for a free slot; how many there are."""
        while True:
            while self.free <= 0:
                self._freed.clear()
                await self._freed.wait()
            if self.tasks and self.free < self.concurrency / 4:
                await asyncio.sleep(LINGER_SECONDS)
            # Meanwhile another may have asked.
            if (free := self.free) > 0:
                return free


class ClaimLoop:
    """Ends when a drain is requested. Raises SchedulerRefused when Claim itself is refused."""

    def __init__(
        self,
        scheduler: Scheduler,
        job_types: tuple[str, ...],
        slots: Slots,
        start: Callable[[ClaimedJob, float], None],
        log: FilteringBoundLogger,
        lease_seconds: float,
    ) -> None:
        self._scheduler = scheduler
        self._job_types = job_types
        self._slots = slots
        self._start = start
        self._log = log
        self._lease_seconds = lease_seconds
        self._on_their_way: dict[str, ClaimWish] = {}
        self._backlog = asyncio.Event()
        # Granted and not started yet: kept here, so that an end in between loses none.
        self._arrived: deque[Arrival] = deque()
        # Granted and too late to start: kept until they are given back.
        self._late: list[ClaimedJob] = []
        self._giving_back = False

    async def run(self, drain: Drain) -> None:
        """Claims and starts jobs until the drain; what a last answer brings is given back."""
        polls = [
            asyncio.create_task(self._poll(always=number == 0), name="claim")
            for number in range(CLAIMS_MAX)
        ]
        draining = asyncio.create_task(drain.requested.wait(), name="drain")
        try:
            await asyncio.wait({*polls, draining}, return_when=asyncio.FIRST_COMPLETED)
            failed = [poll for poll in polls if poll.done()]
            for poll in polls:
                poll.cancel()
            await asyncio.wait(polls)
            await self._give_back_the_last()
            for poll in failed:
                # A poll ends with an error only.
                poll.result()
        finally:
            for poll in polls:
                poll.cancel()
            draining.cancel()

    async def _poll(self, *, always: bool) -> None:
        """One claim after the other; if not `always`, while there is more than one brings."""
        claiming: asyncio.Task[None] | None = None
        try:
            while True:
                if claiming is None:
                    if not always:
                        await self._backlog.wait()
                    claiming = self._ask_for(await self._slots.some_free())
                await claiming
                claiming = self._ask_again(always=always)
                # The next call is on its way before what has come is started.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                self._start_what_has_come()
                await self._give_back_what_is_late()
        finally:
            if claiming is not None:
                claiming.cancel()

    def _start_what_has_come(self) -> None:
        while self._arrived:
            job, asked_at = self._arrived.popleft()
            self._lease_seconds = job.lease_seconds
            if asked_at + job.lease_seconds * (1 - 3 * MARGIN_SHARE) > seconds_now():
                self._start(job, asked_at)
            else:
                # Its lease may be over before its first heartbeat is answered.
                self._late.append(job)
                self._slots.give_up(1)

    async def _give_back_what_is_late(self) -> None:
        """Together, and behind all that could start; if another poll is at it, by that one."""
        if self._giving_back:
            return
        self._giving_back = True
        try:
            while late := tuple(self._late):
                self._log.warning("claims_came_too_late", claims=len(late))
                await self._give_back(late)
                del self._late[: len(late)]
        finally:
            self._giving_back = False

    def _ask_again(self, *, always: bool) -> asyncio.Task[None] | None:
        left = self._slots.free
        wanted = always or self._backlog.is_set()
        return self._ask_for(left) if wanted and left > 0 else None

    def _ask_for(self, free: int) -> asyncio.Task[None]:
        max_jobs = min(free, CLAIM_MAX)
        self._slots.keep(max_jobs)
        return asyncio.create_task(self._claim(max_jobs), name="claim-call")

    async def _claim(self, max_jobs: int) -> None:
        """One claim, repeated under its request_id until it is answered."""
        wait_seconds = min(WAIT_SECONDS_MAX, self._lease_seconds * WAIT_SHARE_OF_LEASE)
        wish = ClaimWish(str(uuid.uuid4()), self._job_types, max_jobs, wait_seconds)
        backoff = Backoff()
        self._on_their_way[wish.request_id] = wish
        while True:
            asked_at = seconds_now()
            try:
                jobs = await self._scheduler.claim(wish)
            except SchedulerUnreachable as error:
                self._log.warning("claim_unanswered", reason=str(error), tries=backoff.tries + 1)
                await asyncio.sleep(backoff.next_seconds())
            else:
                del self._on_their_way[wish.request_id]
                self._slots.give_up(max_jobs - len(jobs))
                self._arrived.extend(Arrival(job, asked_at) for job in jobs)
                if len(jobs) == CLAIM_MAX:
                    self._backlog.set()
                else:
                    self._backlog.clear()
                return

    async def _give_back_the_last(self) -> None:
        """What has come too late to start is returned. A claim that was on its way may have been
        granted: it is asked for once more, and returned.
        """
        await self._give_back([*self._late, *(arrival.job for arrival in self._arrived)])
        for wish in self._on_their_way.values():
            try:
                async with asyncio.timeout(LAST_CLAIM_SECONDS):
                    jobs = await self._scheduler.claim(replace(wish, wait_seconds=0.0))
            except (SchedulerUnreachable, SchedulerRefused, TimeoutError) as error:
                self._log.warning("last_claim_unanswered", reason=str(error))
                continue
            await self._give_back(jobs)

    async def _give_back(self, jobs: Sequence[ClaimedJob]) -> None:
        releases = [
            GiveBack(job.job_id, job.claim_token, GiveBackReason.DRAIN, Written.NOTHING)
            for job in jobs
        ]
        for start in range(0, len(releases), BEATS_MAX):
            part = releases[start : start + BEATS_MAX]
            # Unanswered or refused, their leases run out by themselves.
            try:
                await self._scheduler.give_back(part)
            except SchedulerUnreachable as error:
                self._log.warning("release_unanswered", reason=str(error), ends=len(part))
            except SchedulerRefused as refused:
                self._log.error("release_refused", error=str(refused), ends=len(part))
