"""The store, with what it does counted, timed and logged. Costs a batch a few microseconds."""

import logging
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from structlog.typing import FilteringBoundLogger

from scheduler_service.jobs.requests import (
    Beat,
    BeatAnswer,
    Cancelled,
    Chained,
    ChildRequest,
    Claimed,
    ClaimRequest,
    FinishAnswer,
    FinishRequest,
    Refused,
    Release,
    Submission,
    Submitted,
)
from scheduler_service.jobs.states import JobResult
from scheduler_service.metrics import Metrics, add_counts
from scheduler_service.store.core.ends import End
from scheduler_service.store.core.unit_of_work import Event, UnitOfWork
from scheduler_service.store.store import Store

NOOP = "noop"
# What an operator should hear of; other events are part of a stack's ordinary life.
ALARMING = frozenset({"expired", "in_doubt", "repair"})


class ObservedStore(Store):
    """Lines at info tell of pipelines and of the unusual; those about single jobs, and all about
    the benchmarks' job type, are for debug.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        lease_seconds: float,
        sweep_seconds: float,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        """As Store; `metrics` and `log` get what it does."""
        super().__init__(pool, lease_seconds=lease_seconds, sweep_seconds=sweep_seconds)
        self._metrics = metrics
        self._log = log
        self._debug = log.is_enabled_for(logging.DEBUG)

    async def submit_jobs(self, submissions: Sequence[Submission]) -> list[Submitted | Refused]:
        """As Store."""
        self._metrics.gathered.labels("submit").observe(len(submissions))
        with self._metrics.timed("submit"):
            answers = await super().submit_jobs(submissions)
        add_counts(self._metrics.submits, Counter((_disposition(a),) for a in answers))
        for submission, answer in zip(submissions, answers, strict=True):
            if isinstance(answer, Submitted) and not submission.validate_only:
                self._say_submitted(submission, answer)
        return answers

    def _say_submitted(self, submission: Submission, answer: Submitted) -> None:
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

    async def claim_jobs(self, wanted: ClaimRequest) -> list[Claimed]:
        """As Store."""
        with self._metrics.timed("claim"):
            claims = await super().claim_jobs(wanted)
        add_counts(self._metrics.claims, Counter((c.row["job_type"],) for c in claims))
        if self._debug:
            for claim in claims:
                self._log.debug(
                    "claimed",
                    pipeline_id=claim.row["pipeline_id"],
                    job_id=claim.row["job_id"],
                    claim_token=claim.claim_token,
                    tenant=claim.row["tenant"],
                    job_type=claim.row["job_type"],
                    worker_id=str(wanted.worker_id),
                )
        return claims

    async def heartbeat(
        self, worker_id: UUID, principal: str, beats: Sequence[Beat], draining: bool
    ) -> list[BeatAnswer]:
        """As Store."""
        with self._metrics.timed("heartbeat"):
            return await super().heartbeat(worker_id, principal, beats, draining)

    async def chain_children(
        self,
        worker_id: UUID,
        principal: str,
        job_id: int,
        claim_token: int,
        children: Sequence[ChildRequest],
    ) -> Chained | Refused:
        """As Store."""
        with self._metrics.timed("chain"):
            return await super().chain_children(worker_id, principal, job_id, claim_token, children)

    async def finish_jobs(self, endings: Sequence[FinishRequest]) -> list[FinishAnswer | Refused]:
        """As Store."""
        self._metrics.gathered.labels("finish").observe(len(endings))
        with self._metrics.timed("finish"):
            answers = await super().finish_jobs(endings)
        said = (
            (_outcome(answer), ending.result.value)
            for ending, answer in zip(endings, answers, strict=True)
        )
        add_counts(self._metrics.finishes, Counter(said))
        return answers

    async def release_jobs(self, releases: Sequence[Release]) -> list[bool]:
        """As Store."""
        with self._metrics.timed("release"):
            return await super().release_jobs(releases)

    async def cancel_pipeline(
        self, tenants: tuple[str, ...] | None, pipeline_id: int, reason: str, principal: str
    ) -> Cancelled | Refused:
        """As Store."""
        with self._metrics.timed("cancel"):
            return await super().cancel_pipeline(tenants, pipeline_id, reason, principal)

    async def expire_claims(self) -> int:
        """As Store."""
        with self._metrics.timed("sweep"):
            return await super().expire_claims()

    async def backstop(self) -> int:
        """As Store."""
        with self._metrics.timed("backstop"):
            neglected = await super().backstop()
        self._metrics.neglected.inc(neglected)
        return neglected

    def gathered(self, operation: str, calls: int) -> None:
        """Calls of workers, each of which may be for many jobs."""
        self._metrics.gathered.labels(operation).observe(calls)

    def committed(self, tx: UnitOfWork) -> None:
        """One line for each transition of a transaction that was worth it."""
        if tx.events:
            add_counts(self._metrics.events, Counter((event.event,) for event in tx.events))
        for event in tx.events:
            self._say_event(event)
        worth_it = {event.pipeline_id for event in tx.events}
        for end in tx.ended:
            # Thousands a second, of which nobody wants to hear.
            is_noop = end.row["job_type"] == NOOP
            if not is_noop:
                worth_it.update(end.pipeline_ids)
            if self._debug or not is_noop:
                self._say_ended(end, is_noop)
        for pipeline_id, status in tx.ended_pipelines.items():
            if self._debug or pipeline_id in worth_it:
                say = self._log.info if pipeline_id in worth_it else self._log.debug
                tenant = tx.pipelines[pipeline_id].tenant
                say("pipeline_ended", pipeline_id=pipeline_id, tenant=tenant, status=str(status))

    def _say_event(self, event: Event) -> None:
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

    def _say_ended(self, end: End, is_noop: bool) -> None:
        """A failed job is said at info, so that its pipeline's end has its reason before it."""
        failed = end.result is JobResult.ERROR and not is_noop
        if not (failed or self._debug):
            return
        say = self._log.info if failed else self._log.debug
        row = end.row
        say(
            "finished",
            pipeline_id=end.pipeline_ids[0],
            job_id=row["job_id"],
            claim_token=end.token or None,
            tenant=row["tenant"],
            job_type=row["job_type"],
            result=end.result.value,
        )


def _disposition(answer: Submitted | Refused) -> str:
    return answer.disposition.value if isinstance(answer, Submitted) else answer.reason


def _outcome(answer: FinishAnswer | Refused) -> str:
    return answer.outcome.value if isinstance(answer, FinishAnswer) else answer.reason
