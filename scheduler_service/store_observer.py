"""What the store does, counted, timed and logged. Costs a batch a few microseconds."""

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager

from structlog.typing import FilteringBoundLogger

from scheduler_service.jobs.requests import (
    ClaimRequest,
    FinishAnswer,
    FinishRequest,
    Pause,
    Refused,
    Submission,
    Submitted,
)
from scheduler_service.jobs.states import JobResult
from scheduler_service.metrics import Metrics, add_counts
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.ends import End
from scheduler_service.store.core.observer import Observer
from scheduler_service.store.core.set_aside import SetAside
from scheduler_service.store.core.unit_of_work import Event, UnitOfWork

NOOP = "noop"
# What an operator should hear of; other events are part of a stack's ordinary life.
ALARMING = frozenset({"expired", "in_doubt", "repair"})


class StoreObserver(Observer):
    """Lines at info tell of pipelines and of the unusual; those about single jobs, and all about
    the benchmarks' job type, are for debug.
    """

    def __init__(self, metrics: Metrics, log: FilteringBoundLogger) -> None:
        """`metrics` and `log` get what the store does."""
        self._metrics = metrics
        self._log = log
        self._debug = log.is_enabled_for(logging.DEBUG)

    def timed(self, operation: str) -> AbstractContextManager[None]:
        """As Observer says."""
        return self._metrics.timed(operation)

    def gathered(self, operation: str, calls: int) -> None:
        """As Observer says."""
        self._metrics.gathered.labels(operation).observe(calls)

    def submitted(
        self, submissions: Sequence[Submission], answers: Sequence[Submitted | Refused]
    ) -> None:
        """As Observer says."""
        add_counts(self._metrics.submits, Counter((_disposition(a),) for a in answers))
        for submission, answer in zip(submissions, answers, strict=True):
            if isinstance(answer, Submitted) and not submission.validate_only:
                self._log_submitted(submission, answer)

    def claimed(self, request: ClaimRequest, claims: Sequence[Claimed]) -> None:
        """As Observer says."""
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

    def finished(
        self, requests: Sequence[FinishRequest], answers: Sequence[FinishAnswer | Refused]
    ) -> None:
        """As Observer says."""
        said = (
            (_outcome(answer), request.result.value)
            for request, answer in zip(requests, answers, strict=True)
        )
        add_counts(self._metrics.finishes, Counter(said))

    def neglected(self, keys: int) -> None:
        """As Observer says."""
        self._metrics.neglected.inc(keys)

    def paused(self, pauses: Sequence[Pause]) -> None:
        """As Observer says."""
        for pause in pauses:
            self._log.info(
                "job_type_paused",
                tenant=pause.tenant,
                job_type=pause.job_type,
                paused_by=pause.paused_by,
                detail=pause.reason,
            )

    def resumed(self, pauses: Sequence[Pause]) -> None:
        """As Observer says."""
        for pause in pauses:
            self._log.info(
                "job_type_resumed",
                tenant=pause.tenant,
                job_type=pause.job_type,
                resumed_by=pause.resumed_by,
            )

    def set_aside(self, items: Sequence[SetAside]) -> None:
        """As Observer says."""
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

    def _log_submitted(self, submission: Submission, answer: Submitted) -> None:
        if submission.job_type == NOOP and not self._debug:
            return
        say = self._log.debug if submission.job_type == NOOP else self._log.info
        say(
            "submitted",
            pipeline_id=answer.pipeline_id,
            job_id=answer.job_id,
            tenant=submission.scope.tenant,
            job_type=submission.job_type,
            disposition=str(answer.disposition),
            submitted_by=submission.submitted_by,
        )

    def committed(self, unit: UnitOfWork) -> None:
        """As Observer says: one line for each transition that was worth it."""
        if unit.events:
            add_counts(self._metrics.events, Counter((event.event,) for event in unit.events))
        for event in unit.events:
            self._log_event(event)
        worth_it = {event.pipeline_id for event in unit.events}
        for end in unit.ended:
            # Thousands a second, of which nobody wants to hear.
            is_noop = end.row.job_type == NOOP
            if not is_noop:
                worth_it.update(end.pipeline_ids)
            if self._debug or not is_noop:
                self._log_ended(end, is_noop)
        for pipeline_id, status in unit.ended_pipelines.items():
            if self._debug or pipeline_id in worth_it:
                say = self._log.info if pipeline_id in worth_it else self._log.debug
                tenant = unit.pipelines[pipeline_id].tenant
                say("pipeline_ended", pipeline_id=pipeline_id, tenant=tenant, status=str(status))

    def _log_event(self, event: Event) -> None:
        say = self._log.warning if event.event in ALARMING else self._log.info
        said = {"detail": event.detail} if event.detail else {}
        say(
            event.event,
            pipeline_id=event.pipeline_id,
            job_id=event.job_id,
            claim_token=event.claim_token,
            tenant=event.tenant,
            **said,
        )

    def _log_ended(self, end: End, is_noop: bool) -> None:
        """A failed job is said at info, so that its pipeline's end has its reason before it."""
        failed = end.result is JobResult.ERROR and not is_noop
        if not (failed or self._debug):
            return
        say = self._log.info if failed else self._log.debug
        row = end.row
        say(
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
