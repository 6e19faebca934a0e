"""Counts, times and logs what the store does. Costs a batch a few microseconds."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from structlog.typing import FilteringBoundLogger

from scheduler_service.jobs.requests import (
    ClaimRequest,
    FinishAnswer,
    FinishRequest,
    Pause,
    PeriodLock,
    Refused,
    Submission,
    Submitted,
    WorkerDrain,
)
from scheduler_service.jobs.schedules import TickDone, TickOutcome
from scheduler_service.jobs.states import JobResult
from scheduler_service.metrics import Metrics, add_counts
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.observer import Observer
from scheduler_service.store.core.removed import Removed
from scheduler_service.store.core.rows import End
from scheduler_service.store.core.set_aside import SetAside
from scheduler_service.store.core.unit_of_work import Event, UnitOfWork

NOOP = "noop"
PASSED_OVER_SHOWN = 10
# Logged as warnings; other events are part of ordinary operation.
ALARMING = frozenset({"expired", "in_doubt", "repair"})
# What a cancel does to many jobs alike: the timeline of each job tells of it.
OF_MANY_JOBS = frozenset({"draining", "unlinked"})


class StoreObserver(Observer):
    """Counts, times and logs what a store does.

    At info it logs pipelines and unusual transitions. Single jobs, and everything about the job
    type of the benchmarks, are logged at debug.
    """

    def __init__(self, metrics: Metrics, log: FilteringBoundLogger) -> None:
        """`metrics` and `log` get what the store does."""
        self._metrics = metrics
        self._log = log
        self._debug = self.wants_passed_over = log.is_enabled_for(logging.DEBUG)

    def timed(self, operation: str) -> AbstractContextManager[None]:
        """Measures how long the operation takes."""
        return self._metrics.timed(operation)

    def gathered(self, operation: str, calls: int) -> None:
        """Measures how many calls share a batch."""
        self._metrics.gathered.labels(operation).observe(calls)

    def submitted(self, answers: Iterable[tuple[Submission, Submitted | Refused]]) -> None:
        """Counts answers by disposition, or by the reason of a refusal; logs each new pipeline."""
        counts: Counter[tuple[str, ...]] = Counter()
        for submission, answer in answers:
            counts[(_disposition(answer),)] += 1
            if isinstance(answer, Submitted) and not submission.validate_only:
                self._log_submitted(submission, answer)
        add_counts(self._metrics.submits, counts)

    def claimed(self, request: ClaimRequest, claims: Sequence[Claimed]) -> None:
        """Counts claims by job type; at debug logs each."""
        add_counts(self._metrics.claims, Counter((c.row.job_type,) for c in claims))
        if not self._debug:
            return
        for claim in claims:
            self._log.debug(
                "claimed",
                pipeline_id=claim.row.pipeline_id,
                job_id=claim.row.job_id,
                claim_token=claim.claim_token,
                tenant=claim.row.tenant,
                job_type=claim.row.job_type,
                worker_id=str(request.worker_id),
            )

    def passed_over(self, request: ClaimRequest, job_ids: Sequence[int]) -> None:
        """Logs at debug which jobs others hold, the first of them by number."""
        self._log.debug(
            "claim_passed_over",
            worker_id=str(request.worker_id),
            jobs=len(job_ids),
            job_ids=list(job_ids[:PASSED_OVER_SHOWN]),
        )

    def finished(self, answers: Iterable[tuple[FinishRequest, FinishAnswer | Refused]]) -> None:
        """Counts finish requests by outcome and result."""
        counted = ((_outcome(answer), request.result.value) for request, answer in answers)
        add_counts(self._metrics.finishes, Counter(counted))

    def neglected(self, keys: int) -> None:
        """Counts the keys, each of which is a defect; the sweep logs them."""
        self._metrics.neglected.inc(keys)

    def removed(self, removed: Removed) -> None:
        """Counts what was deleted by kind, and logs it if it was anything."""
        if counts := removed.counts():
            add_counts(self._metrics.removed, {(kind,): n for kind, n in counts.items()})
            self._log.info("removed_old", **counts)

    def paused(self, pauses: Sequence[Pause]) -> None:
        """Logs each pause, with who and why."""
        for pause in pauses:
            self._log.info(
                "job_type_paused",
                tenant=pause.tenant,
                job_type=pause.job_type,
                paused_by=pause.paused_by,
                detail=pause.reason,
            )

    def drain_asked(self, drain: WorkerDrain) -> None:
        """Logs who told the worker first, and why."""
        self._log.info(
            "worker_drain_asked",
            worker_id=str(drain.worker_id),
            asked_by=drain.asked_by,
            detail=drain.reason,
        )

    def resumed(self, pauses: Sequence[Pause]) -> None:
        """Logs each pause that is over, with who ended it."""
        for pause in pauses:
            self._log.info(
                "job_type_resumed",
                tenant=pause.tenant,
                job_type=pause.job_type,
                resumed_by=pause.resumed_by,
            )

    def set_aside(self, items: Sequence[SetAside]) -> None:
        """Counts what was set aside by step, and warns of each item."""
        add_counts(self._metrics.set_asides, Counter((item.step.value,) for item in items))
        for item in items:
            self._log.warning(
                "set_aside",
                step=item.step.value,
                item=item.item,
                job_id=item.job_id,
                failures=item.failures,
                seconds=round(item.seconds, 1),
                error=item.reason,
            )

    def ticked(self, done: Sequence[TickDone]) -> None:
        """Counts ticks by outcome, and warns of each that submitted nothing, and of those that were
        missed behind one: of a pipeline its own event tells.
        """
        add_counts(self._metrics.ticks, Counter((one.outcome.value,) for one in done))
        missed = sum(one.passed_over for one in done)
        if missed:
            add_counts(self._metrics.ticks, Counter({(TickOutcome.MISSED.value,): missed}))
        for one in done:
            if one.passed_over:
                self._log.warning(
                    "schedule_ticks_missed",
                    tenant=one.tenant,
                    schedule=one.schedule,
                    job_type=one.job_type,
                    tick=one.tick.isoformat(),
                    missed=one.passed_over,
                )
            if one.outcome is not TickOutcome.SUBMITTED:
                self._log.warning(
                    "schedule_submitted_nothing",
                    tenant=one.tenant,
                    schedule=one.schedule,
                    job_type=one.job_type,
                    tick=one.tick.isoformat(),
                    outcome=one.outcome.value,
                    detail=one.message,
                )

    def locked(self, lock: PeriodLock) -> None:
        """As Observer says."""
        self._log.info(
            "year_locked",
            tenant=lock.tenant,
            year=lock.year,
            locked_by=lock.locked_by,
            detail=lock.reason,
        )

    def unlocked(self, lock: PeriodLock, principal: str) -> None:
        """As Observer says."""
        self._log.info("year_unlocked", tenant=lock.tenant, year=lock.year, unlocked_by=principal)

    def _log_submitted(self, submission: Submission, answer: Submitted) -> None:
        if submission.job_type == NOOP and not self._debug:
            return
        write = self._log.debug if submission.job_type == NOOP else self._log.info
        write(
            "submitted",
            pipeline_id=answer.pipeline_id,
            job_id=answer.job_id,
            tenant=submission.scope.tenant,
            job_type=submission.job_type,
            disposition=str(answer.disposition),
            submitted_by=submission.submitted_by,
        )

    def committed(self, unit: UnitOfWork) -> None:
        """Counts and logs unusual transitions; logs ends of jobs and of pipelines."""
        if unit.events:
            add_counts(self._metrics.events, Counter((event.event,) for event in unit.events))
        for event in unit.events:
            if event.event not in OF_MANY_JOBS:
                self._log_event(event)
        self._log_of_many([event for event in unit.events if event.event in OF_MANY_JOBS])
        worth_it = {event.pipeline_id for event in unit.events}
        for end in unit.ended:
            # Thousands per second, which nobody wants to read.
            is_noop = end.row.job_type == NOOP
            if not is_noop:
                worth_it.update(end.pipeline_ids)
            if self._debug or not is_noop:
                self._log_ended(end, is_noop)
        for pipeline_id, status in unit.ended_pipelines.items():
            if self._debug or pipeline_id in worth_it:
                write = self._log.info if pipeline_id in worth_it else self._log.debug
                tenant = unit.pipelines[pipeline_id].tenant
                write("pipeline_ended", pipeline_id=pipeline_id, tenant=tenant, status=str(status))

    def _log_event(self, event: Event) -> None:
        write = self._log.warning if event.event in ALARMING else self._log.info
        detail = {"detail": event.detail} if event.detail else {}
        write(
            event.event,
            pipeline_id=event.pipeline_id,
            job_id=event.job_id,
            claim_token=event.claim_token,
            tenant=event.tenant,
            **detail,
        )

    def _log_of_many(self, events: Sequence[Event]) -> None:
        """Logs one line of each pipeline, with the number of its jobs."""
        alike = Counter((one.event, one.pipeline_id, one.tenant, one.detail) for one in events)
        for (event_of_many, pipeline_id, tenant, said), jobs in alike.items():
            detail = {"detail": said} if said else {}
            self._log.info(
                event_of_many, pipeline_id=pipeline_id, tenant=tenant, jobs=jobs, **detail
            )

    def _log_ended(self, end: End, is_noop: bool) -> None:
        """Logs a failed job at info, so that the reason stands before its pipeline's end."""
        failed = end.result is JobResult.ERROR and not is_noop
        if not (failed or self._debug):
            return
        write = self._log.info if failed else self._log.debug
        row = end.row
        write(
            "finished",
            pipeline_id=end.pipeline_ids[0],
            job_id=row.job_id,
            claim_token=end.token or None,
            tenant=row.tenant,
            job_type=row.job_type,
            result=end.result.value,
        )


def _disposition(answer: Submitted | Refused) -> str:
    return answer.disposition.value if isinstance(answer, Submitted) else answer.reason


def _outcome(answer: FinishAnswer | Refused) -> str:
    return answer.outcome.value if isinstance(answer, FinishAnswer) else answer.reason
