"""The life of a worker process: claim jobs, run them, renew leases, drain."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.claim_loop import ClaimLoop, Concurrency
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.held_claim import StopReason
from worker_service.mechanics.job_runner import JobRunner
from worker_service.mechanics.lease_keeper import BeatTiming, LeaseKeeper
from worker_service.mechanics.loop_watch import LoopWatch
from worker_service.mechanics.readiness import Needs, NoNeeds, Readiness
from worker_service.mechanics.registry import Registry
from worker_service.mechanics.run_end import RunEnded, ignore_run_end
from worker_service.mechanics.scheduler import Scheduler

# Lost connections, timeouts, and what files meet.
TRANSIENT: tuple[type[Exception], ...] = (OSError,)


async def _ignore_lease(_seconds: float) -> None:
    return None


def _ignore_reason(_reason: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Bounds of a worker process.

    `concurrency`: jobs that run at once. `lease_seconds`: what the scheduler is expected to give;
    its answers correct it. `drain_grace_seconds`: how long running jobs may go on after a drain is
    requested. `stop_grace_seconds`: how long a handler may take to stop after that.
    `loop_blocked_seconds`: how long a handler may block the event loop before it is logged.
    `transient`: exception types that pass by themselves; a job that raises one runs again.
    """

    concurrency: int = 1
    lease_seconds: float = 45.0
    beat: BeatTiming = field(default_factory=lambda: BeatTiming(beat_seconds=10.0))
    drain_grace_seconds: float = 20.0
    stop_grace_seconds: float = 10.0
    loop_blocked_seconds: float = 1.0
    transient: tuple[type[Exception], ...] = TRANSIENT


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker process has besides its jobs.

    No job is claimed while `needs` cannot be used; `ready_changed` is called with the reason, and
    with "" when they can again. If one of `tasks` ends, the worker ends. `lease_changed` is awaited
    before jobs run whose lease is not `WorkerLimits.lease_seconds`, or not that of the last call.
    """

    needs: Needs = NoNeeds()  # noqa: RUF009  it has no state
    ready_changed: Callable[[str], None] = _ignore_reason
    tasks: Sequence[asyncio.Task[None]] = ()
    lease_changed: Callable[[float], Awaitable[None]] = _ignore_lease


NOTHING_AROUND = Surroundings()


@dataclass(frozen=True, slots=True)
class Served:
    """How a worker ended. `failure` is None after a drain; `left` counts handlers still running."""

    failure: BaseException | None
    left: int


async def serve_jobs(
    scheduler: Scheduler,
    registry: Registry,
    limits: WorkerLimits,
    drain: Drain,
    log: FilteringBoundLogger,
    run_ended: RunEnded = ignore_run_end,
    *,
    around: Surroundings = NOTHING_AROUND,
    keeper: LeaseKeeper | None = None,
) -> Served:
    """Runs jobs until a drain is requested, or until Claim or Heartbeat fails for good.

    Returns when all handlers have ended, or when their grace is over, or at once after a hard stop.
    `run_ended` is called once per run, when its step has ended. `keeper` is the process's, if it
    has sent heartbeats before.
    """
    if keeper is None:
        keeper = new_keeper(scheduler, registry.job_types, limits, drain, log)
    concurrency = Concurrency(limits.concurrency)

    def changed(reason: str) -> None:
        keeper.report_not_ready(reason)
        around.ready_changed(reason)

    readiness = Readiness(around.needs, log, changed)
    runner = JobRunner(
        scheduler,
        registry,
        keeper,
        readiness,
        limits.transient,
        log,
        step_ended=concurrency.step_ended,
        run_ended=run_ended,
    )

    def start(job: ClaimedJob, asked_at: float) -> None:
        held = keeper.take(job, asked_at)
        concurrency.add(asyncio.create_task(runner.run(held), name=f"job-{job.job_id}"))

    claims = ClaimLoop(
        scheduler,
        registry.job_types,
        concurrency,
        start,
        readiness=readiness,
        lease_changed=around.lease_changed,
        log=log,
        lease_seconds=limits.lease_seconds,
    )
    with LoopWatch(asyncio.get_running_loop(), log, limits.loop_blocked_seconds):
        beating = asyncio.create_task(keeper.run(), name="lease-keeper")
        looking = asyncio.create_task(readiness.run(), name="readiness")
        claiming = asyncio.create_task(claims.run(drain), name="claim-loop")
        try:
            failure = await _first_failure(claiming, (beating, looking, *around.tasks), drain)
            keeper.drain()
            log.info("worker_draining", running=len(concurrency.tasks))
            left = await _drain(concurrency, keeper, limits, drain)
            if failure is None and left == 0:
                # A worker that ends otherwise is to be shown as lost.
                await _wait_for(keeper.send_last_beat, None, drain)
        finally:
            await _end(claiming, beating, looking, *concurrency.tasks)
    return Served(failure, left)


def new_keeper(
    scheduler: Scheduler,
    job_types: Iterable[str],
    limits: WorkerLimits,
    drain: Drain,
    log: FilteringBoundLogger,
) -> LeaseKeeper:
    """The keeper of a process, which holds nothing yet."""
    on_drain = partial(drain.request_by_scheduler, log)
    return LeaseKeeper(scheduler, limits.beat, job_types, log, on_drain)


async def _first_failure(
    claiming: asyncio.Task[None], beside: tuple[asyncio.Task[None], ...], drain: Drain
) -> BaseException | None:
    """Waits for the drain, or until a loop ends. Returns the loop's exception, if any."""
    await asyncio.wait({claiming, *beside}, return_when=asyncio.FIRST_COMPLETED)
    drain.request_once()
    await asyncio.wait({claiming})
    for task in (claiming, *beside):
        if task.done() and not task.cancelled() and task.exception() is not None:
            return task.exception()
    for task in beside:
        if task.done():
            return RuntimeError(f"the task {task.get_name()!r} of this worker has ended")
    return None


async def _drain(
    concurrency: Concurrency, keeper: LeaseKeeper, limits: WorkerLimits, drain: Drain
) -> int:
    """Waits for the handlers, then stops them. Returns how many are still running."""
    all_ended = partial(_all_ended, concurrency)
    await _wait_for(all_ended, limits.drain_grace_seconds, drain)
    for held in keeper.held:
        keeper.stop(held, StopReason.DRAINED)
    await _wait_for(all_ended, limits.stop_grace_seconds, drain)
    return len(concurrency.tasks)


async def _wait_for(
    what: Callable[[], Coroutine[Any, Any, None]], seconds: float | None, drain: Drain
) -> None:
    """Waits until `what` has ended, the time is over, or a hard stop is requested."""
    if drain.hard.is_set():
        return
    hard = asyncio.create_task(drain.hard.wait())
    ended = asyncio.create_task(what())
    try:
        await asyncio.wait({hard, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(hard, ended)


async def _all_ended(concurrency: Concurrency) -> None:
    if concurrency.tasks:
        await asyncio.wait(set(concurrency.tasks))


async def _end(*tasks: asyncio.Task[None] | asyncio.Task[Literal[True]]) -> None:
    """Cancels tasks, and waits for them for a second."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=1.0)
