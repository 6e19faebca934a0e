"""Brings a store into a random state, through the operations that production has."""

import random
from datetime import timedelta

from scheduler_service.jobs.requests import ReleaseReason, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.claimed import Claimed
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TOTALS,
    TRAIN,
    TRAVEL,
    YEAR,
    StoreDriver,
)

TYPES = ("csv_ingest", "routed_ingest", "emission_recalc", "aggregation", "unit_sync", "noop")
SUBMISSIONS = (
    ("csv_ingest", INGEST),
    ("csv_ingest", Scope(TENANT, TRAVEL, TRAIN, YEAR)),
    ("routed_ingest", TOTALS),
    ("emission_recalc", RECALC),
    ("emission_recalc", Scope(TENANT, TRAVEL, TRAIN, YEAR)),
    ("aggregation", TOTALS),
    ("unit_sync", Scope(TENANT, year=YEAR)),
    ("noop", Scope(TENANT)),
)


class RandomStates:
    """Steps of a few workers and users, chosen by a seed."""

    def __init__(self, driver: StoreDriver, seed: int) -> None:
        self.driver = driver
        self.dice = random.Random(seed)
        self.held: list[tuple[StoreDriver, Claimed]] = []
        self.pipelines: list[int] = []

    async def step(self) -> None:
        """One of the things that happen."""
        happens = (self._submit, self._submit, self._claim, self._claim, self._finish)
        rarely = (self._release, self._cancel, self._time_passes, self._expire, self._pause)
        await self.dice.choice((*happens, *happens, *rarely))()

    async def _submit(self) -> None:
        job_type, scope = self.dice.choice(SUBMISSIONS)
        submitted = await self.driver.submit(job_type, scope)
        self.pipelines.append(submitted.pipeline_id)

    async def _claim(self) -> None:
        worker = self.driver.another()
        types = self.dice.sample(TYPES, self.dice.randint(1, len(TYPES)))
        claims = await worker.claim_all(*types, max_jobs=self.dice.randint(1, 3))
        self.held += [(worker, claim) for claim in claims]

    async def _finish(self) -> None:
        for worker, claim in self._some_of_what_is_held():
            await self._chain(worker, claim)
            result = self.dice.choice((JobResult.SUCCESS, JobResult.WARNING, JobResult.ERROR))
            await worker.finish(claim, result, self.dice.choice(list(Written)))

    async def _chain(self, worker: StoreDriver, claim: Claimed) -> None:
        if claim.row.job_type == "routed_ingest":
            await worker.chain(claim, *(("csv_ingest", kind) for kind in (TRAIN, PLANE)))
        elif claim.row.job_type == "csv_ingest":
            kinds = (PLANE, TRAIN)[: self.dice.randint(1, 2)]
            await worker.chain(claim, *(("emission_recalc", kind) for kind in kinds))
        elif claim.row.job_type == "emission_recalc":
            await worker.chain(claim, ("aggregation", None))

    async def _release(self) -> None:
        for worker, claim in self._some_of_what_is_held():
            reason = self.dice.choice((ReleaseReason.DRAIN, ReleaseReason.RETRY_LATER))
            delay = self.dice.choice((None, 20.0))
            await worker.release(claim, reason, self.dice.choice(list(Written)), delay)

    async def _cancel(self) -> None:
        if self.pipelines:
            await self.driver.cancel(self.dice.choice(self.pipelines))

    async def _pause(self) -> None:
        store, job_type = self.driver.store, self.dice.choice(TYPES)
        if self.dice.random() < 0.5:
            await store.pause_job_type([TENANT], job_type, "a test asks", "tester")
        else:
            await store.resume_job_type([TENANT], job_type, "tester")

    async def _time_passes(self) -> None:
        await self.driver.pass_time(timedelta(seconds=self.dice.choice((1, 10))))
        if self.dice.random() < 0.5:
            await self.driver.store.promote_due_jobs()

    async def _expire(self) -> None:
        await self.driver.let_leases_expire()

    def _some_of_what_is_held(self) -> list[tuple[StoreDriver, Claimed]]:
        """At most two; they are not held any more, whatever becomes of them."""
        self.dice.shuffle(self.held)
        chosen, self.held = self.held[:2], self.held[2:]
        return chosen
