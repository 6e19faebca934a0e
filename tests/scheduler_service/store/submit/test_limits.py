"""A tenant that floods is refused, by Submit only, and nobody else is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from scheduler_service.jobs.limits import Limits
from scheduler_service.jobs.requests import Disposition, Refused, Submission, Submitted
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.unlocked import LockedElsewhere
from scheduler_service.store.store import Store
from scheduler_service.store.submit import limits
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TRAIN,
    StoreDriver,
)
from tests.scheduler_service.store.submit.test_submit_unlocked import KEY, locked

NOOP, OTHERS_NOOP = Scope(TENANT), Scope("other")
LIVE_JOBS, JOINERS = 5, 3


@asynccontextmanager
async def limited(driver: StoreDriver) -> AsyncIterator[StoreDriver]:
    store = Store(
        driver.store.pools,
        lease_seconds=driver.store.lease_seconds,
        sweep_seconds=driver.store.sweep_seconds,
        limits=Limits(live_jobs=LIVE_JOBS, joiners=JOINERS),
    )
    yield StoreDriver(store)
    await store.notifier.close()


@pytest.fixture
async def bounded(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[StoreDriver]:
    """A scheduler with low limits, which looks each time."""
    monkeypatch.setattr(limits, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(limits, "PAUSE_PER_LOOK", 0)
    async with limited(driver) as made:
        yield made


@pytest.fixture
async def counting(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[StoreDriver]:
    """A scheduler with low limits, which looks once and counts from then on."""
    monkeypatch.setattr(limits, "LOOK_SECONDS", 3_600.0)
    async with limited(driver) as made:
        yield made


def reason(answer: Submitted | Refused) -> str:
    return answer.reason if isinstance(answer, Refused) else str(answer.disposition)


async def test_a_tenant_with_too_many_waiting_jobs_is_refused_and_no_other(
    bounded: StoreDriver,
) -> None:
    request_id = uuid4()
    await bounded.submit("noop", NOOP, request_id=request_id)
    # What waits behind a key counts, too.
    for _ in range(LIVE_JOBS - 1):
        await bounded.submit("csv_ingest", INGEST)
    assert reason(await bounded.ask("noop", NOOP)) == "TOO_MANY_LIVE_JOBS"
    assert reason(await bounded.ask("csv_ingest", INGEST, validate_only=True)) == (
        "TOO_MANY_LIVE_JOBS"
    )
    # A repeat is answered as before.
    assert reason(await bounded.ask("noop", NOOP, request_id=request_id)) == "REPLAYED"
    assert reason(await bounded.ask("noop", OTHERS_NOOP)) == "CREATED"
    # One that is claimed waits no longer.
    await bounded.claim("noop")
    assert reason(await bounded.ask("noop", NOOP)) == "CREATED"


async def test_a_batch_is_refused_from_the_limit_on_each_in_its_place(bounded: StoreDriver) -> None:
    submissions = [
        Submission(uuid4(), b"body", "noop", Scope(tenant), None, 5, "tester")
        for tenant in (TENANT, "other", TENANT, TENANT, TENANT, TENANT, TENANT, "other", TENANT)
    ]
    answers = await bounded.submit_jobs(submissions)
    assert [reason(answer) for answer in answers] == [
        *("CREATED",) * 6,
        "TOO_MANY_LIVE_JOBS",
        "CREATED",
        "TOO_MANY_LIVE_JOBS",
    ]


async def test_only_what_was_made_is_counted_between_two_looks(
    counting: StoreDriver, database_url: str
) -> None:
    request_id = uuid4()
    await counting.submit("emission_recalc", RECALC, request_id=request_id)
    for _ in range(LIVE_JOBS):
        assert reason(await counting.ask("emission_recalc", RECALC, request_id=request_id)) == (
            "REPLAYED"
        )
        # A year that nobody has provisioned.
        never = replace(INGEST, year=2001)
        assert reason(await counting.ask("csv_ingest", never)) == "YEAR_NOT_PROVISIONED"
    for _ in range(JOINERS - 1):
        assert reason(await counting.ask("emission_recalc", RECALC)) == "JOINED"
    # Each call asks again for what somebody else has locked, until it is free.
    async with locked(database_url, KEY):
        for _ in range(LIVE_JOBS):
            (answer,) = await counting.store.submit_unlocked(
                [counting.submission("emission_recalc", RECALC)]
            )
            assert isinstance(answer, LockedElsewhere)
    made = [reason(await counting.ask("noop", NOOP)) for _ in range(LIVE_JOBS)]
    assert made == [*("CREATED",) * (LIVE_JOBS - 1), "TOO_MANY_LIVE_JOBS"]


async def test_repeats_in_a_batch_take_no_place_from_what_is_new_in_it(
    counting: StoreDriver,
) -> None:
    made = [counting.submission("noop", NOOP) for _ in range(LIVE_JOBS - 2)]
    await counting.store.submit_unlocked(made)
    one, other, third = (counting.submission("noop", NOOP) for _ in range(3))
    answers = await counting.store.submit_unlocked([*made, one, one, other, third, other])
    assert [reason(answer) for answer in answers if not isinstance(answer, LockedElsewhere)] == [
        *("REPLAYED",) * len(made),
        "CREATED",
        "REPLAYED",
        "CREATED",
        "TOO_MANY_LIVE_JOBS",
        "REPLAYED",
    ]


async def test_a_submit_waits_for_no_sweep(bounded: StoreDriver) -> None:
    sweeps = bounded.store.pools.sweeps
    async with AsyncExitStack() as busy:
        for _ in range(sweeps.get_max_size()):
            await busy.enter_async_context(sweeps.acquire())
        async with asyncio.timeout(10):
            for _ in range(LIVE_JOBS):
                assert reason(await bounded.ask("noop", NOOP)) == "CREATED"
            assert reason(await bounded.ask("noop", NOOP)) == "TOO_MANY_LIVE_JOBS"


async def test_what_follows_a_job_is_never_refused(bounded: StoreDriver) -> None:
    submitted = await bounded.submit("csv_ingest", INGEST)
    ingest = await bounded.claim("csv_ingest")
    for _ in range(LIVE_JOBS):
        await bounded.submit("noop", NOOP)
    await bounded.chain(ingest, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    answer = await bounded.finish(ingest)
    assert [child.disposition for child in answer.children] == [Disposition.CREATED] * 2
    # And neither is a repair, or a retry that an operator asks for.
    recalc, *_ = await bounded.claim_all("emission_recalc")
    await bounded.finish(recalc, JobResult.ERROR)
    await bounded.cancel(submitted.pipeline_id)
    assert not isinstance(await bounded.retry(submitted.pipeline_id), Refused)


async def test_a_job_that_enough_have_joined_takes_no_more_submits_and_every_child(
    bounded: StoreDriver,
) -> None:
    submissions = [
        Submission(uuid4(), b"body", "emission_recalc", RECALC, None, 5, "tester")
        for _ in range(JOINERS)
    ]
    for one in await bounded.submit_jobs(submissions):
        assert isinstance(one, Submitted)
    assert reason(await bounded.ask("emission_recalc", RECALC)) == "JOINED"
    assert reason(await bounded.ask("emission_recalc", RECALC)) == "TOO_MANY_JOINERS"
    ingest = await bounded.submit("csv_ingest", INGEST)
    claim = await bounded.claim("csv_ingest")
    await bounded.chain(claim, ("emission_recalc", PLANE))
    answer = await bounded.finish(claim)
    assert [child.disposition for child in answer.children] == [Disposition.JOINED]
    await bounded.finish(await bounded.claim("emission_recalc"))
    assert await bounded.status(ingest.pipeline_id) != "FAILED"
    assert reason(await bounded.ask("emission_recalc", RECALC)) == "CREATED"
