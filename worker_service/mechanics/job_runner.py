"""Runs one claimed job, from its step to the scheduler's answer."""

import asyncio
from collections.abc import Callable
from typing import assert_never

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.gathered import Gathered
from worker_service.mechanics.held_claim import HeldClaim, StopReason
from worker_service.mechanics.job_log import JobLog
from worker_service.mechanics.lease_keeper import LeaseKeeper
from worker_service.mechanics.live_run import LiveRun
from worker_service.mechanics.outcome import Failed, RetryLater, Succeeded
from worker_service.mechanics.readiness import Readiness
from worker_service.mechanics.registry import Registry
from worker_service.mechanics.run import ClaimLost, JobCancelled
from worker_service.mechanics.run_end import RunEnd, RunEnded, result_of, rows_of
from worker_service.mechanics.scheduler import (
    BEATS_MAX,
    FINISHES_MAX,
    FINISHES_WITH_STATS_MAX,
    Finish,
    FinishAnswer,
    FinishResult,
    Release,
    ReleaseReason,
    Scheduler,
    SchedulerRefused,
)
from worker_service.mechanics.verdict import (
    Crashed,
    Forget,
    Result,
    Stopped,
    Unready,
    Verdict,
    sentence_of,
    verdict,
)

# For how many leases an end without a commit is sent again. After an outage the scheduler extends
# every lease by one; without this Finish or Release the next run would wait for that to expire. The
# claim token makes it safe: an end that comes too late changes nothing.
REPEAT_LEASES = 2.0


class JobRunner:
    """Runs claimed jobs by the steps of a registry.

    A step that raises one of `transient` is taken for a fault that passes: its claim is released
    and the job runs again. If `readiness` finds an outage behind it, that costs no attempt.

    When a step has ended, `step_ended` is called with the task of its run, then `run_ended` with
    what is known of it. Only then is the scheduler told.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        registry: Registry,
        keeper: LeaseKeeper,
        readiness: Readiness,
        transient: tuple[type[Exception], ...],
        log: FilteringBoundLogger,
        *,
        step_ended: Callable[[asyncio.Task[None]], None],
        run_ended: RunEnded,
    ) -> None:
        self._step_ended = step_ended
        self._run_ended = run_ended
        self._scheduler = scheduler
        self._registry = registry
        self._keeper = keeper
        self._readiness = readiness
        self._transient = transient
        self._log = log
        self._finishes: Gathered[Finish, FinishAnswer] = Gathered(
            scheduler.finish, FINISHES_MAX * FINISHES_WITH_STATS_MAX, log, _weight
        )
        self._releases: Gathered[Release, bool] = Gathered(scheduler.release, BEATS_MAX, log)

    async def run(self, held: HeldClaim) -> None:
        """Runs the job. Returns when the scheduler has answered, or need not be told any more."""
        task = asyncio.current_task()
        assert task is not None
        log = JobLog(self._log, held.job)
        began_at = seconds_now()
        try:
            log.info("job_started", attempt=held.job.attempt)
            result = await self._result_of(held, task, log)
            held.ending = True
            self._step_ended(task)
            seconds = seconds_now() - began_at
            decision = verdict(held.job, result, held.written)
            self._run_ended(
                RunEnd(
                    held.job.job_type,
                    result_of(decision),
                    held.stop_reason,
                    seconds,
                    rows_of(decision),
                )
            )
            log.seconds = seconds
            await self._report(held, decision, log)
        finally:
            self._keeper.drop(held)

    async def _result_of(self, held: HeldClaim, task: asyncio.Task[None], log: JobLog) -> Result:
        if held.stop_reason is not None:
            return Stopped(held.stop_reason)
        run = LiveRun(held, self._keeper, self._scheduler)
        began_at = seconds_now()
        error: BaseException | None = None
        outcome: object = None
        # The step runs in the run's own task: a stop cancels it, and only it (see `detach`).
        held.attach(task)
        try:
            outcome = await self._registry.steps[held.job.job_type](run)
        # The code of others may exit, which must not end the worker.
        except (Exception, SystemExit, asyncio.CancelledError) as raised:  # noqa: BLE001  judged below
            error = raised
        if not held.detach():
            # A hard stop of the process: the scheduler is told nothing.
            raise asyncio.CancelledError
        if error is None:
            return self._checked(outcome)
        return await self._stopped_or_crashed(held, error, began_at, log)

    def _checked(self, outcome: object) -> Result:
        if isinstance(outcome, (Succeeded, Failed, RetryLater)):
            return outcome
        kind = type(outcome).__name__
        return Crashed(
            TypeError(f"the step returned a {kind} instead of an outcome"), transient=False
        )

    async def _stopped_or_crashed(
        self, held: HeldClaim, error: BaseException, began_at: float, log: JobLog
    ) -> Result:
        if held.stop_reason is None:
            return await self._crashed(held, error, began_at, log)
        if not isinstance(error, (asyncio.CancelledError, ClaimLost, JobCancelled)):
            # Usually a rollback that the stop interrupted.
            log.info("handler_raised_while_stopping", error=sentence_of(error))
        if held.stop_reason is StopReason.LEASE_OVER:
            return self._lease_over(held, began_at)
        return Stopped(held.stop_reason)

    def _lease_over(self, held: HeldClaim, began_at: float) -> Result:
        """By an outage perhaps, which may be over by now: a step takes its time to stop."""
        silence = held.silence or self._keeper.silence
        if outage := self._readiness.outage_since(began_at) or silence:
            return Unready(f"not ready: {outage}")
        return Stopped(StopReason.LEASE_OVER)

    async def _crashed(
        self, held: HeldClaim, error: BaseException, began_at: float, log: JobLog
    ) -> Result:
        match error:
            case ClaimLost():
                # The fence in the ledger refused it, or there was no time left to commit; the
                # scheduler may not know yet.
                log.warning("claim_refused_by_fence", error=sentence_of(error))
                return self._lease_over(held, began_at)
            case JobCancelled():
                return Stopped(StopReason.CANCELLED)
            case _ if isinstance(error, self._transient):
                # What caused it is logged too, and the job runs again.
                log.warning("handler_raised", error=sentence_of(error))
                outage = await self._readiness.outage_behind(error, began_at)
                if outage:
                    return Unready(f"not ready: {outage}")
                return Crashed(error, transient=True)
            case _:
                log.error("handler_raised", exc_info=error)
                return Crashed(error, transient=False)

    async def _report(self, held: HeldClaim, decision: Verdict, log: JobLog) -> None:
        match decision:
            case Forget():
                log.info("claim_forgotten")
            case Release():
                await self._release(held, decision, log)
            case Finish():
                await self._finish(held, decision, log)
            case _:
                assert_never(decision)

    async def _release(self, held: HeldClaim, release: Release, log: JobLog) -> None:
        fields = {"reason": str(release.reason), "written": str(release.written)}
        if release.message:
            fields["message"] = release.message
        if held.lost:
            return
        # After a long outage a claim is still held, and without this answer costs an attempt.
        unready = release.reason is ReleaseReason.NOT_READY
        worth_it = _until_lost(held) if unready else _for_a_while(held)
        try:
            released = await self._releases.ask(release, worth_it)
        except SchedulerRefused as refused:
            log.error("release_refused", error=str(refused), **fields)  # noqa: TRY400  no defect here
            return
        except Exception as error:
            # The lease expires by itself.
            log.error("release_failed", exc_info=error, **fields)  # noqa: TRY400  a JobLog
            return
        if released is None:
            log.warning("release_unanswered", **fields)
        else:
            log.info("job_released", released=released, **fields)

    async def _finish(self, held: HeldClaim, finish: Finish, log: JobLog) -> None:
        committed = finish.result is not FinishResult.ERROR
        # Only this run knows of its commit: repeat until there is an answer, whatever the lease.
        worth_it = _always if committed else _for_a_while(held)
        try:
            answer = await self._answer_to(finish, worth_it, log)
            if answer is FinishAnswer.REFUSED:
                log.error("finish_details_refused", message=finish.message)
                answer = await self._finishes.ask(_bare(finish), worth_it)
        except SchedulerRefused as refused:
            log.error("finish_refused", error=str(refused))  # noqa: TRY400  no defect here
            return
        except Exception as error:
            log.error("finish_failed", exc_info=error)  # noqa: TRY400  a JobLog
            await self._release(held, _unreported(finish), log)
            return
        fields = {"result": str(finish.result), "message": finish.message}
        if finish.error_cause:
            fields["error_cause"] = finish.error_cause
        match answer:
            case FinishAnswer.APPLIED | FinishAnswer.ALREADY_APPLIED:
                log.info("job_finished", **fields)
            case FinishAnswer.STALE:
                log.warning("finish_came_too_late", answer=str(answer), **fields)
                # If a cancel came first, the job's key waits until this claim is released.
                job, written = held.job, held.written
                reason = ReleaseReason.CANCELLED
                drained = Release(job.job_id, job.claim_token, reason, written)
                await self._release(held, drained, log)
            case FinishAnswer.CONFLICT:
                log.error("finish_conflict", **fields)
            case FinishAnswer.REFUSED | None:
                log.error("finish_not_accepted", **fields)
            case _:
                assert_never(answer)

    async def _answer_to(
        self, finish: Finish, worth_it: Callable[[], bool], log: JobLog
    ) -> FinishAnswer | None:
        """REFUSED too if no message can be made of it: what has ended ends without its details."""
        try:
            return await self._finishes.ask(finish, worth_it)
        except SchedulerRefused:
            raise
        except Exception as error:
            log.error("finish_details_failed", exc_info=error)  # noqa: TRY400  a JobLog
            return FinishAnswer.REFUSED


def _weight(finish: Finish) -> int:
    return FINISHES_MAX if finish.stats else FINISHES_WITH_STATS_MAX


def _always() -> bool:
    return True


def _until_lost(held: HeldClaim) -> Callable[[], bool]:
    return lambda: not held.lost


def _for_a_while(held: HeldClaim) -> Callable[[], bool]:
    """Whether it is still worth repeating an end without a commit, from now on."""
    ends_at = seconds_now() + REPEAT_LEASES * held.job.lease_seconds
    return lambda: not held.lost and seconds_now() < ends_at


def _unreported(finish: Finish) -> Release:
    """For an end that this worker cannot tell: the next run finds out what was written."""
    return Release(
        finish.job_id,
        finish.claim_token,
        ReleaseReason.RETRY_LATER,
        finish.written,
        "The worker failed to report the end of this job.",
    )


def _bare(finish: Finish) -> Finish:
    """The same end without its message and stats, which may be what was not taken."""
    return Finish(
        finish.job_id,
        finish.claim_token,
        finish.result,
        "The message and stats of this job could not be sent, or were refused.",
        finish.error_cause and "unexpected_exception",
        {},
        finish.written,
    )
