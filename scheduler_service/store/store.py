"""The store: one method per operation, each one short transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from carbonline.postgres.pool import Pool
from scheduler_service.jobs.heartbeats import Heartbeat
from scheduler_service.jobs.limits import DAY_SECONDS, LIMITS, RETENTION_DAYS, Limits
from scheduler_service.jobs.requests import (
    BeatAnswer,
    Cancelled,
    Chained,
    ChildRequest,
    ClaimRequest,
    FinishRequest,
    PeriodLock,
    PipelineRetry,
    Recovered,
    Recovery,
    Refused,
    Release,
    Retried,
    Submission,
)
from scheduler_service.jobs.stale_stats import ModuleState
from scheduler_service.store.cancel.cancel_pipeline import cancel_pipeline
from scheduler_service.store.chain.chain_children import TooManyChildren, chain_children
from scheduler_service.store.claim.claim_jobs import claim_jobs
from scheduler_service.store.claim.heartbeat import heartbeats
from scheduler_service.store.claim.passed_over import passed_over
from scheduler_service.store.claim.seen_workers import SeenWorkers
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.gather import Gatherer
from scheduler_service.store.core.observer import Observer
from scheduler_service.store.core.patient_units import PatientUnits
from scheduler_service.store.core.pool import Pools, open_pools
from scheduler_service.store.core.pool_sizes import PoolSizes
from scheduler_service.store.core.removed import Removed
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.statements import Connection
from scheduler_service.store.core.unlocked import LockedElsewhere
from scheduler_service.store.finish.finish_unlocked import Finished, finishes_unlocked
from scheduler_service.store.lock.lock_period import lock_period, unlock_period
from scheduler_service.store.notify.notifier import Notifier
from scheduler_service.store.pause.no_more_claims import NoMoreClaims
from scheduler_service.store.pause.pause_job_types import PAGE_MAX, PausePage, list_pauses
from scheduler_service.store.reads.active_pipelines import (
    ActivePipelines,
    read_active_pipelines,
)
from scheduler_service.store.reads.done import with_job, with_pipeline
from scheduler_service.store.reads.explain import Explained, read_job_facts
from scheduler_service.store.reads.filters import ActiveFilter
from scheduler_service.store.reads.queue_stats import QueueStats, read_queue_stats
from scheduler_service.store.reads.readers import Readers, anybody
from scheduler_service.store.reads.reads import Reads
from scheduler_service.store.reads.rows import JobSummaryRow, PipelineRow
from scheduler_service.store.reads.slots import Slot, read_slots
from scheduler_service.store.reads.stale_stats import read_module_states
from scheduler_service.store.reads.years import YearState, read_year, read_years
from scheduler_service.store.release.recover_job import recover_job
from scheduler_service.store.release.release_unlocked import Released, releases_unlocked
from scheduler_service.store.retention.forget_old import forget_old
from scheduler_service.store.retention.remove_pipelines import RemovePipelines
from scheduler_service.store.schedule.schedules import Schedules
from scheduler_service.store.schedule.submit_ticks import SubmitTicks
from scheduler_service.store.submit.limits import LiveJobs
from scheduler_service.store.submit.retry_pipeline import retry_pipeline
from scheduler_service.store.submit.submit_unlocked import SubmitAnswer, SubmitUnlocked
from scheduler_service.store.sweep import sweep
from scheduler_service.store.sweep.broken_jobs import BrokenJobs
from scheduler_service.store.sweep.set_asides import SetAsides
from scheduler_service.store.verify.verify_history import (
    Place,
    VerifiedPage,
    verify_pipelines,
    verify_requests,
)

APPLICATION_NAME = "carbonline scheduler"
CLAIM_REQUESTS_MAX = 64
# Of up to a thousand beats each.
HEARTBEATS_MAX = 64


class Store(Reads, NoMoreClaims, Schedules):
    """Everything the scheduler does to its tables. Safe for many concurrent calls.

    Connection losses and timeouts come through as asyncpg's errors, OSError or TimeoutError.
    """

    def __init__(
        self,
        pools: Pools,
        *,
        lease_seconds: float,
        sweep_seconds: float,
        retention_days: float = RETENTION_DAYS,
        limits: Limits = LIMITS,
        observer: Observer | None = None,
        asker: Callable[[], str] = anybody,
    ) -> None:
        """Use `open` instead, unless the pools are yours. `observer` hears of what is done. The
        `asker` names who reads: each has its turn.
        """
        super().__init__(
            Readers(pools.reads, asker=asker), Readers(pools.sweeps, for_callers=False)
        )
        self.pools = pools
        # Of the leases.
        self.pool = pools.leases
        self.lease_seconds = lease_seconds
        self.sweep_seconds = sweep_seconds
        self.retention_days = retention_days
        self.notifier = Notifier(pools.sweeps)
        self._observer = observer or Observer()
        self._units = self._units_on(pools.leases)
        calls = self._units_on(pools.calls)
        self._call_units = PatientUnits(calls, pools.calls.get_max_size())
        self._releases_unlocked = releases_unlocked(calls)
        self._sweep_units = self._units_on(pools.sweeps)
        self._set_asides = SetAsides(self._sweep_units, sweep_seconds, self._observer.set_aside)
        self._broken_jobs = BrokenJobs(self._sweep_units, self._set_asides)
        self._expire_claims = sweep.ExpireClaims(
            self._sweep_units, self._set_asides, lease_seconds, sweep_seconds
        )
        self._backstop = sweep.Backstop(self._sweep_units, self._set_asides)
        self._finishes_unlocked = finishes_unlocked(self._units)
        self._submit_unlocked = SubmitUnlocked(self._units, limits.joiners)
        self._submit_ticks = SubmitTicks(
            self._sweep_units, self._set_asides, limits.joiners, self._observer.ticked
        )
        kept = retention_days * DAY_SECONDS
        self._remove_pipelines = RemovePipelines(self._sweep_units, self._set_asides, kept)
        self._limits = limits
        self._live_jobs = LiveJobs(self._units, limits.live_jobs)
        self._seen = SeenWorkers(lease_seconds)
        self._claim_requests: Gatherer[ClaimRequest, list[Claimed]] = Gatherer(
            self._claim_jobs, CLAIM_REQUESTS_MAX
        )
        self._beats: Gatherer[Heartbeat, list[BeatAnswer]] = Gatherer(
            self._heartbeats, HEARTBEATS_MAX
        )

    def _units_on(self, pool: Pool) -> UnitRunner:
        return UnitRunner(pool, self.notifier, self._observer.committed)

    @classmethod
    async def open(cls, database_url: str, *, lease_seconds: float, sweep_seconds: float) -> Self:
        """Connect. The schema must be migrated."""
        pools = await open_pools(database_url, PoolSizes(), application_name=APPLICATION_NAME)
        return cls(pools, lease_seconds=lease_seconds, sweep_seconds=sweep_seconds)

    async def close(self) -> None:
        """Send the last hints and disconnect."""
        await self.notifier.close()
        await self.pools.close()

    async def submit_unlocked(self, submissions: Sequence[Submission]) -> list[SubmitAnswer]:
        """One answer per submission, in order; idempotent by (tenant, request_id). For those whose
        rows somebody else has locked: LockedElsewhere.
        """
        self._observer.gathered("submit", len(submissions))
        with self._observer.timed("submit"):
            answers = await self._live_jobs.within(submissions, self._submit_unlocked.submit)
        self._observer.submitted(
            (submission, answer)
            for submission, answer in zip(submissions, answers, strict=True)
            if not isinstance(answer, LockedElsewhere)
        )
        return answers

    async def claim_jobs(self, request: ClaimRequest) -> list[Claimed]:
        """What is claimable now, or a repeated request's claims; never waits for work."""
        with self._observer.timed("claim"):
            claims = await self._claim_requests.ask(request)
        self._observer.claimed(request, claims)
        return claims

    async def _claim_jobs(self, requests: Sequence[ClaimRequest]) -> list[list[Claimed]]:
        self._observer.gathered("claim", len(requests))
        found = await self._broken_jobs.claim_past(requests, lambda: self._claim_once(requests))
        self.notifier.notify_activity({one.row.pipeline_id for claims in found for one in claims})
        return found

    async def _claim_once(self, requests: Sequence[ClaimRequest]) -> list[list[Claimed]]:
        async with self.pool.acquire() as conn:
            found = await claim_jobs(conn, requests, self.lease_seconds, self._seen)
            if self._observer.wants_passed_over:
                await self._notify_passed_over(conn, requests, found)
            return found

    async def _notify_passed_over(
        self,
        conn: Connection,
        requests: Sequence[ClaimRequest],
        found: Sequence[Sequence[Claimed]],
    ) -> None:
        for request, claims in zip(requests, found, strict=True):
            if len(claims) < request.max_jobs and (held := await passed_over(conn, request)):
                self._observer.passed_over(request, held)

    def is_to_drain(self, worker_id: UUID, principal: str) -> bool:
        """Whether a worker is to drain, as the last Heartbeat or empty Claim of it has found."""
        return self._seen.is_to_drain((worker_id, principal))

    async def heartbeat(self, one: Heartbeat) -> list[BeatAnswer]:
        """One answer per beat, in order; renews leases, never changes a state."""
        with self._observer.timed("heartbeat"):
            return await self._beats.ask(one)

    async def _heartbeats(self, heartbeats_asked: Sequence[Heartbeat]) -> list[list[BeatAnswer]]:
        self._observer.gathered("heartbeat", len(heartbeats_asked))
        async with self.pool.acquire() as conn:
            answers, news = await heartbeats(conn, heartbeats_asked, self.lease_seconds, self._seen)
        self.notifier.notify_activity(news)
        return answers

    async def chain_children(
        self,
        worker_id: UUID,
        principal: str,
        tenants: tuple[str, ...],
        job_id: int,
        claim_token: int,
        children: Sequence[ChildRequest],
    ) -> Chained | Refused:
        """All children staged, or none and why."""
        try:
            with self._observer.timed("chain"):
                who, limit = (worker_id, principal, job_id, claim_token), self._limits.children
                return await self._call_units.run(
                    lambda tx: chain_children(tx, *who, children, tenants=tenants, limit=limit)
                )
        except TooManyChildren as too_many:
            return too_many.refusal()

    async def finish_unlocked(self, requests: Sequence[FinishRequest]) -> list[Finished]:
        """The compare-and-set, one answer per request, in order. For those whose rows somebody else
        has locked: LockedElsewhere.
        """
        self._observer.gathered("finish", len(requests))
        with self._observer.timed("finish"):
            answers = await self._finishes_unlocked.ask(requests)
        self._observer.finished(
            (request, answer)
            for request, answer in zip(requests, answers, strict=True)
            if not isinstance(answer, LockedElsewhere)
        )
        return answers

    async def release_unlocked(self, releases: Sequence[Release]) -> list[Released]:
        """Per release whether the claim held its job, or drained, until now. For those whose rows
        somebody else has locked: LockedElsewhere.
        """
        with self._observer.timed("release"):
            return await self._releases_unlocked.ask(releases)

    async def cancel_pipeline(
        self, tenants: tuple[str, ...], pipeline_id: int, reason: str, principal: str
    ) -> tuple[Cancelled, PipelineRow] | Refused:
        """Every live job of the pipeline ended, or left to who joined it."""
        with self._observer.timed("cancel"):
            return await self._call_units.run_and_read(
                lambda tx: cancel_pipeline(tx, pipeline_id, tenants, reason, principal),
                lambda conn, answer: with_pipeline(conn, answer, pipeline_id),
            )

    async def retry_pipeline(self, wanted: PipelineRetry) -> Retried | Refused:
        """A new pipeline for what another one left undone; idempotent by (tenant, request_id)."""
        with self._observer.timed("retry"):
            return await self._call_units.run(lambda tx: retry_pipeline(tx, wanted))

    async def recover_job(self, wanted: Recovery) -> tuple[Recovered, JobSummaryRow] | Refused:
        """The job taken from its claim, or why it was left to it."""
        with self._observer.timed("recover"):
            answer = await self._call_units.run_and_read(
                lambda tx: recover_job(tx, wanted),
                lambda conn, done: with_job(conn, done, wanted.job_id),
            )
        if not isinstance(answer, Refused):
            self.notifier.notify_activity({answer[0].pipeline_id})
        return answer

    async def lock_period(
        self, tenant: str, year: int, reason: str, principal: str
    ) -> PeriodLock | Refused:
        """The year's lock, new or earlier, or which jobs keep it from being locked."""
        answer = await self._call_units.run(
            lambda tx: lock_period(tx, tenant, year, reason, principal)
        )
        if isinstance(answer, PeriodLock):
            self._observer.locked(answer)
        return answer

    async def unlock_period(self, tenant: str, year: int, principal: str) -> PeriodLock | None:
        """The lock that this ended; None if there was none."""
        ended = await self._call_units.run(lambda tx: unlock_period(tx, tenant, year))
        if ended is not None:
            self._observer.unlocked(ended, principal)
        return ended

    async def list_pauses(
        self, tenant: str, before: int | None = None, most: int = PAGE_MAX, *, include_resumed: bool
    ) -> PausePage:
        """A page of the tenant's pauses, newest first: those that last, or all."""
        async with self._readers.connection() as conn:
            return await list_pauses(conn, tenant, before, most, resumed=include_resumed)

    async def explain_job(self, tenant: str, job_id: int) -> Explained | Refused:
        """What keeps a job of the tenant from running."""
        return await read_job_facts(self._readers, job_id, tenant, self.lease_seconds)

    async def queue_stats(self, tenants: Sequence[str]) -> list[QueueStats]:
        """How much of each type waits and runs in some tenants."""
        return await read_queue_stats(self._readers, tenants, self.lease_seconds)

    async def module_states(
        self, tenant: str, year: int | None
    ) -> tuple[list[ModuleState], datetime | None]:
        """What is known of a tenant's totals, and the moment of the snapshot."""
        return await read_module_states(self._readers, tenant, year)

    async def year(self, tenant: str, year: int, keys: Sequence[str]) -> YearState:
        """How a year stands, with the live jobs of `keys`."""
        return await read_year(self._readers, tenant, year, keys)

    async def years(
        self,
        tenant: str,
        before: int | None,
        years_max: int,
        keys_of: Callable[[int], Sequence[str]],
    ) -> list[YearState]:
        """The years of a tenant, newest first, each with the live jobs of its keys."""
        return await read_years(self._readers, tenant, before, years_max, keys_of)

    async def active_pipelines(self, wanted: ActiveFilter) -> ActivePipelines:
        """Which pipelines work on modules of a year."""
        return await read_active_pipelines(self._readers, wanted)

    async def slots(
        self, tenant: str, year: int, modules: Sequence[int], *, after: str, slots_max: int
    ) -> list[Slot]:
        """The current job and the last success of each slot of a year."""
        return await read_slots(
            self._readers, tenant, year, modules, after=after, slots_max=slots_max
        )

    async def verify_pipelines(
        self, tenant: str, after: Place, pipelines_max: int, *, with_claims: bool
    ) -> VerifiedPage:
        """What breaks an invariant in a tenant's next pipelines."""
        return await verify_pipelines(
            self._readers, tenant, after, pipelines_max, with_claims=with_claims
        )

    async def verify_requests(self, tenant: str, after: UUID, requests_max: int) -> VerifiedPage:
        """Which of a tenant's next remembered Submits could not be answered again."""
        return await verify_requests(self._readers, tenant, after, requests_max)

    async def expire_claims(self) -> int:
        """Take back what expired claims held. Returns how many expired."""
        with self._observer.timed("sweep"):
            return await self._expire_claims.look()

    async def promote_due_jobs(self) -> int:
        """Queue what waited for its time. Returns how many jobs were due."""
        return await sweep.promote_due_jobs(self._sweep_units, self._set_asides)

    async def seconds_to_next_due(self, since_seconds: float = 0.0) -> float | None:
        """How long until time makes something due; below zero what did since; None: never."""
        return await sweep.seconds_to_next_due(self._sweep_units, since_seconds)

    async def backstop(self) -> int:
        """Repair keys that were left standing. Anything but 0 is a bug to be logged."""
        with self._observer.timed("backstop"):
            keys = await self._backstop.look()
        self._observer.neglected(keys)
        return keys

    async def forget_old(self) -> Removed:
        """Delete what is remembered for a while and belongs to no pipeline."""
        removed = await forget_old(self._sweep_units, self._remove_pipelines.kept_seconds)
        self._observer.removed(removed)
        return removed

    async def remove_pipelines(self) -> Removed:
        """Delete what ended longer ago than pipelines are kept, and is not needed."""
        removed = await self._remove_pipelines.remove()
        self._observer.removed(removed)
        return removed
