"""Runs one claim from its step to the scheduler's answer."""

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
from worker_service.mechanics.registry import Registry
from worker_service.mechanics.run import ClaimLost, JobCancelled
from worker_service.mechanics.run_end import RunEnd, RunEnded, rows_of, word_of
from worker_service.mechanics.scheduler import (
    BEATS_MAX,
    FINISHES_MAX,
    FINISHES_WITH_STATS_MAX,
    Finish,
    FinishAnswer,
    FinishResult,
    GiveBack,
    GiveBackReason,
    Scheduler,
    SchedulerRefused,
)
from worker_service.mechanics.verdict import (
    Crashed,
    Forget,
    Result,
    Stopped,
    Verdict,
    sentence_of,
    verdict,
)

# For how long the scheduler is told of an end that wrote nothing it must know of. An outage of up
# to a lease grants every claim one more, and only this saves the next run from waiting for it. The
# claim token guards the end: one that comes too late changes nothing.
TELLING_LEASES = 2.0


class JobRunner:
    """`transient` names the exceptions that pass by themselves: their jobs are given back.

    `step_ended` is called with a run's task when only the scheduler's answer is left to wait for;
    `run_ended` then gets what is known of the run.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        registry: Registry,
        keeper: LeaseKeeper,
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
        self._transient = transient
        self._log = log
        self._finishes: Gathered[Finish, FinishAnswer] = Gathered(
            scheduler.finish, FINISHES_MAX * FINISHES_WITH_STATS_MAX, log, _weight
        )
        self._releases: Gathered[GiveBack, bool] = Gathered(scheduler.give_back, BEATS_MAX, log)

    async def run(self, held: HeldClaim) -> None:
        """Ends when the scheduler has answered, or when there is nothing to tell it any more."""
        task = asyncio.current_task()
        assert task is not None
        log = JobLog(self._log, held.job)
        log.info("job_started", attempt=held.job.attempt)
        began_at = seconds_now()
        try:
            result = await self._result_of(held, task, log)
            held.ending = True
            self._step_ended(task)
            seconds = seconds_now() - began_at
            told = verdict(held.job, result, held.written)
            self._run_ended(
                RunEnd(held.job.job_type, word_of(told), held.stop_reason, seconds, rows_of(told))
            )
            log.seconds = seconds
            await self._tell(held, told, log)
        finally:
            self._keeper.drop(held)

    async def _result_of(self, held: HeldClaim, task: asyncio.Task[None], log: JobLog) -> Result:
        if held.stop_reason is not None:
            return Stopped(held.stop_reason)
        run = LiveRun(held, self._keeper, self._scheduler)
        error: BaseException | None = None
        outcome: object = None
        # The step runs in the run's own task: a stop cancels it, and only it (see `detach`).
        held.attach(task)
        try:
            outcome = await self._registry.steps[held.job.job_type](run)
        except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001  judged below
            error = raised
        if not held.detach():
            # A hard stop of the process: nobody is told anything any more.
            raise asyncio.CancelledError
        if error is None:
            return self._checked(outcome)
        return self._stopped_or_crashed(held, error, log)

    def _checked(self, outcome: object) -> Result:
        if isinstance(outcome, (Succeeded, Failed, RetryLater)):
            return outcome
        kind = type(outcome).__name__
        return Crashed(TypeError(f"the step returned {kind}, which is no outcome"), transient=False)

    def _stopped_or_crashed(self, held: HeldClaim, error: BaseException, log: JobLog) -> Result:
        reason = held.stop_reason
        if reason is not None:
            if not isinstance(error, (asyncio.CancelledError, ClaimLost, JobCancelled)):
                # Mostly the rollback that was cut short; the order to stop explains it.
                log.info("handler_raised_while_stopping", error=sentence_of(error))
            return Stopped(reason)
        match error:
            case ClaimLost():
                # The step knows it from the data's side; the scheduler may not know it yet.
                log.warning("claim_refused_by_the_data", error=sentence_of(error))
                return Stopped(StopReason.LEASE_OVER)
            case JobCancelled():
                return Stopped(StopReason.CANCELLED)
            case _:
                transient = isinstance(error, self._transient)
                if transient:
                    # Whoever brought it about says it, too; the job runs again.
                    log.warning("handler_raised", error=sentence_of(error))
                else:
                    log.error("handler_raised", exc_info=error)
                return Crashed(error, transient)

    async def _tell(self, held: HeldClaim, told: Verdict, log: JobLog) -> None:
        match told:
            case Forget():
                log.info("claim_forgotten")
            case GiveBack():
                await self._give_back(held, told, log)
            case Finish():
                await self._finish(held, told, log)
            case _:
                assert_never(told)

    async def _give_back(self, held: HeldClaim, release: GiveBack, log: JobLog) -> None:
        said = {"reason": str(release.reason), "written": str(release.written)}
        if release.message:
            said["message"] = release.message
        if held.lost:
            return
        try:
            taken = await self._releases.ask(release, _for_a_while(held))
        except SchedulerRefused as refused:
            log.error("release_refused", error=str(refused), **said)  # noqa: TRY400  no defect here
            return
        if taken is None:
            log.warning("release_unanswered", **said)
        else:
            log.info("job_given_back", taken=taken, **said)

    async def _finish(self, held: HeldClaim, finish: Finish, log: JobLog) -> None:
        committed = finish.result is not FinishResult.ERROR
        # After a commit nobody else can tell of it: repeated until answered, lease or not.
        worth_it = _always if committed else _for_a_while(held)
        try:
            answer = await self._finishes.ask(finish, worth_it)
            if answer is FinishAnswer.REFUSED:
                log.error("finish_refused_as_it_stands", message=finish.message)
                answer = await self._finishes.ask(_bare(finish), worth_it)
        except SchedulerRefused as refused:
            log.error("finish_refused", error=str(refused))  # noqa: TRY400  no defect here
            return
        said = {"result": str(finish.result), "message": finish.message}
        if finish.error_cause:
            said["cause"] = finish.error_cause
        match answer:
            case FinishAnswer.APPLIED | FinishAnswer.ALREADY_APPLIED:
                log.info("job_finished", **said)
            case FinishAnswer.STALE:
                log.warning("finish_came_too_late", answer=str(answer), **said)
                # If it was a cancel that came first, this claim drains and its key waits for it.
                job, written = held.job, held.written
                reason = GiveBackReason.CANCELLED
                drained = GiveBack(job.job_id, job.claim_token, reason, written)
                await self._give_back(held, drained, log)
            case FinishAnswer.CONFLICT:
                log.error("finish_contradicts_an_earlier_one", **said)
            case FinishAnswer.REFUSED | None:
                log.error("finish_not_taken", **said)
            case _:
                assert_never(answer)


def _weight(finish: Finish) -> int:
    return FINISHES_MAX if finish.stats else FINISHES_WITH_STATS_MAX


def _always() -> bool:
    return True


def _for_a_while(held: HeldClaim) -> Callable[[], bool]:
    """Whether it is still worth telling of an end, from now on."""
    ends_at = seconds_now() + TELLING_LEASES * held.job.lease_seconds
    return lambda: not held.lost and seconds_now() < ends_at


def _bare(finish: Finish) -> Finish:
    """The same end without what could have been refused."""
    return Finish(
        finish.job_id,
        finish.claim_token,
        finish.result,
        "Its message and numbers were refused by the scheduler.",
        finish.error_cause and "unexpected_exception",
        {},
        finish.written,
    )
