"""Every pair of operations on the same rows at once: no deadlock, and no decision is lost."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
import pytest

from carbonline.postgres.errors import TRY_AGAIN
from scheduler_service.jobs.requests import (
    FinishAnswer,
    FinishOutcome,
    ReleaseReason,
    Submission,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core import run_units
from scheduler_service.store.core.claimed import Claimed
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TOTALS,
    TRAIN,
    YEAR,
    StoreDriver,
)

TYPES = ("csv_ingest", "emission_recalc", "aggregation", "noop")
ROUNDS = 2


@dataclass
class Ground:
    """Rows that all operations meet at: pipelines that share jobs, keys and a year."""

    driver: StoreDriver
    ingest: Claimed
    recalc: Claimed
    other_recalc: Claimed
    joined: list[int]
    # Pipelines that were cancelled before.
    over: list[int]


async def ground(driver: StoreDriver) -> Ground:
    """An upload that has staged its child, two recalculations that wait for one sum, one of which
    has not staged it, and pipelines that joined the other.
    """
    ended = [await driver.submit(*of) for of in (("csv_ingest", INGEST), ("aggregation", TOTALS))]
    for one in ended:
        await driver.cancel(one.pipeline_id)
    pipelines = [await driver.submit("emission_recalc", RECALC) for _ in range(3)]
    await driver.submit("emission_recalc", Scope(RECALC.tenant, RECALC.module, TRAIN, YEAR))
    claims = await driver.claim_all("emission_recalc")
    recalc, other = sorted(claims, key=lambda c: c.row.job_id)
    await driver.chain(recalc, ("aggregation", None))
    await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE))
    return Ground(
        driver,
        ingest,
        recalc,
        other,
        [p.pipeline_id for p in pipelines],
        [p.pipeline_id for p in ended],
    )


Operation: TypeAlias = Callable[[Ground], Awaitable[Any]]


async def submit(at: Ground) -> Any:
    asked = [
        Submission(at.driver.another().worker_id, b"body", job_type, scope, None, 5, "tester")
        for job_type, scope in (
            ("emission_recalc", RECALC),
            ("aggregation", TOTALS),
            ("csv_ingest", INGEST),
        )
    ]
    return await at.driver.submit_jobs(asked)


async def claim(at: Ground) -> Any:
    return await at.driver.another().claim_all(*TYPES)


async def heartbeat(at: Ground) -> Any:
    return [await at.driver.beat(one) for one in (at.ingest, at.recalc, at.other_recalc)]


async def chain(at: Ground) -> Any:
    return await at.driver.chain(at.ingest, ("emission_recalc", TRAIN))


async def finish(at: Ground) -> Any:
    return await _ended(at, JobResult.SUCCESS, at.other_recalc, at.ingest, at.recalc)


async def finish_badly(at: Ground) -> Any:
    return await _ended(at, JobResult.ERROR, at.recalc, at.ingest, at.other_recalc)


async def _ended(at: Ground, result: JobResult, *claims: Claimed) -> list[tuple[int, JobResult]]:
    """The jobs that were ended by this call, and how."""
    endings = [at.driver.ending(one, result, Written.UNKNOWN) for one in claims]
    answers = await at.driver.finish_jobs(endings)
    return [
        (ending.job_id, result)
        for ending, answer in zip(endings, answers, strict=True)
        if isinstance(answer, FinishAnswer) and answer.outcome is FinishOutcome.APPLIED
    ]


async def release(at: Ground) -> Any:
    claims = (at.recalc, at.other_recalc, at.ingest)
    return [await at.driver.release(c, ReleaseReason.DRAIN, Written.UNKNOWN) for c in claims]


async def cancel(at: Ground) -> Any:
    return [await at.driver.cancel(pipeline_id) for pipeline_id in reversed(at.joined)]


async def expire(at: Ground) -> Any:
    return await at.driver.store.expire_claims()


async def sweep(at: Ground) -> Any:
    """And deletion of what has ended, which waits for nothing here."""
    await at.driver.store.forget_old()
    await at.driver.store.remove_pipelines()
    return [await at.driver.store.promote_due_jobs(), await at.driver.store.backstop()]


async def retry(at: Ground) -> Any:
    return [await at.driver.retry(pipeline_id) for pipeline_id in at.over]


async def recover(at: Ground) -> Any:
    return [
        await at.driver.recover(claim.row["job_id"], force=True)
        for claim in (at.other_recalc, at.ingest, at.recalc)
    ]


async def lock(at: Ground) -> Any:
    """And unlock: at the end the year must take what is left."""
    for _ in range(2):
        await at.driver.store.lock_period(RECALC.tenant, YEAR, "a test asks", "tester")
        await at.driver.store.unlock_period(RECALC.tenant, YEAR, "tester")


async def pause(at: Ground) -> Any:
    """And resume: at the end nothing may be left paused."""
    store, tenants = at.driver.store, (RECALC.tenant, "other")
    for job_type in TYPES:
        await store.pause_job_type(tenants, job_type, "a test asks", "tester")
        await store.resume_job_type(tenants[::-1], job_type, "tester")


OPERATIONS: tuple[Operation, ...] = (
    submit,
    claim,
    heartbeat,
    chain,
    finish,
    finish_badly,
    release,
    cancel,
    retry,
    recover,
    expire,
    sweep,
    lock,
    pause,
)
FINISHES = (finish, finish_badly)
PAIRS = list(itertools.combinations_with_replacement(OPERATIONS, 2))


@pytest.mark.parametrize(
    ("one", "other"), PAIRS, ids=[f"{a.__name__}-{b.__name__}" for a, b in PAIRS]
)
@pytest.mark.usefixtures("long_waits")
async def test_two_operations_at_once_deadlock_never_and_lose_nothing(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch, one: Operation, other: Operation
) -> None:
    """The store's fixture asks for the invariants afterwards."""
    # A deadlock would be tried again, and nobody would hear of it.
    monkeypatch.setattr(
        run_units,
        "TRY_AGAIN",
        tuple(e for e in TRY_AGAIN if e is not asyncpg.DeadlockDetectedError),
    )
    driver.store._remove_pipelines.kept_seconds = 0.0
    for _ in range(ROUNDS):
        at = await ground(driver)
        if expire in (one, other):
            await driver.let_leases_run_out()
        calls = (one, other, one, other)
        answers = await asyncio.gather(*(call(at) for call in calls))
        await ends_stand(driver, [a for c, a in zip(calls, answers, strict=True) if c in FINISHES])
        await run_to_the_end(driver)


async def ends_stand(
    driver: StoreDriver, answers: Sequence[Sequence[tuple[int, JobResult]]]
) -> None:
    """Each job was ended by one call at most, and is as that call was told."""
    ended = [end for answer in answers for end in answer]
    assert len({job_id for job_id, _ in ended}) == len(ended)
    for job_id, result in ended:
        assert await driver.state(job_id) == f"FINISHED {result}"


async def run_to_the_end(driver: StoreDriver) -> None:
    """Whatever is left is claimed and finished: every pipeline must end."""
    for _ in range(20):
        await driver.let_leases_expire()
        await driver.store.promote_due_jobs()
        claims = await driver.claim_all(*TYPES)
        await driver.finish_jobs([driver.ending(one, written=Written.UNKNOWN) for one in claims])
        live = await driver.store.pool.fetchval(
            "SELECT count(*) FROM scheduler.pipelines WHERE status = 'LIVE'"
        )
        if not live:
            return
    raise AssertionError("a pipeline does not end")
