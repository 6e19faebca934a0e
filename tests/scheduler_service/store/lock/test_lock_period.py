"""A locked year refuses what would change it, and is locked only when nothing can change it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from scheduler_service.jobs.requests import (
    ChildRequest,
    Disposition,
    PeriodLock,
    Refused,
    ReleaseReason,
    Submitted,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TOTALS,
    TRAVEL,
    YEAR,
    StoreDriver,
)

PLACES = Scope(TENANT, reference_kind="locations")
UNITS = Scope(TENANT, year=YEAR)
Prepare = Callable[[StoreDriver], Awaitable[int]]


async def lock(driver: StoreDriver, year: int = YEAR, tenant: str = TENANT) -> PeriodLock | Refused:
    return await driver.store.lock_period(tenant, year, "reported", "ann")


async def locked(driver: StoreDriver) -> PeriodLock:
    answer = await lock(driver)
    assert isinstance(answer, PeriodLock), answer
    return answer


@pytest.mark.parametrize(
    ("job_type", "scope"),
    [
        ("csv_ingest", INGEST),
        ("upload_withdrawal", INGEST),
        ("factor_ingest", INGEST),
        ("emission_recalc", RECALC),
        ("aggregation", TOTALS),
        ("unit_sync", UNITS),
    ],
)
async def test_a_locked_year_refuses_what_would_change_it(
    driver: StoreDriver, job_type: str, scope: Scope
) -> None:
    await locked(driver)
    for validate_only in (True, False):
        answer = await driver.ask(job_type, scope, validate_only=validate_only)
        assert isinstance(answer, Refused), answer
        assert (answer.reason, answer.metadata) == ("PERIOD_LOCKED", {"year": str(YEAR)})
    assert await driver.store.unlock_period(TENANT, YEAR, "bob") is not None
    await driver.submit(job_type, scope)


async def test_other_years_and_places_are_taken_beside_a_locked_year(driver: StoreDriver) -> None:
    await driver.provision(2025)
    await locked(driver)
    await driver.submit("csv_ingest", Scope(TENANT, TRAVEL, PLANE, 2025))
    await driver.submit("unit_sync", Scope(TENANT, year=2026))
    await driver.submit("reference_ingest", PLACES)


async def test_new_places_do_not_change_a_locked_year_and_leave_it_stale(
    driver: StoreDriver,
) -> None:
    await driver.provision(2025)
    await locked(driver)
    await driver.submit("reference_ingest", PLACES)
    claim = await driver.claim("reference_ingest")
    children = [
        ChildRequest(str(year), "emission_recalc", PLANE, TRAVEL, year, None)
        for year in (YEAR, 2025)
    ]
    await driver.store.chain_children(
        driver.worker_id, "local", (TENANT,), claim.row.job_id, claim.claim_token, children
    )
    answer = await driver.finish(claim)
    placed = {child.child_key: child.disposition for child in answer.children}
    assert placed == {str(YEAR): Disposition.SKIPPED_LOCKED, "2025": Disposition.CREATED}
    assert [job["year"] for job in await driver.jobs_of("emission_recalc")] == [2025]
    changed = await driver.store.pool.fetchval(
        "SELECT changed_token > recalc_claim FROM scheduler.type_freshness WHERE year = $1", YEAR
    )
    assert changed is True


async def queued(driver: StoreDriver) -> int:
    return (await driver.submit("csv_ingest", INGEST)).job_id


async def running(driver: StoreDriver) -> int:
    submitted = await driver.submit("emission_recalc", RECALC)
    await driver.claim("emission_recalc")
    return submitted.job_id


async def divided(driver: StoreDriver) -> int:
    submitted = await driver.submit("routed_ingest", TOTALS)
    await driver.claim("routed_ingest")
    return submitted.job_id


async def recalculated(driver: StoreDriver) -> int:
    return (await driver.submit("module_emission_recalc", TOTALS)).job_id


async def in_backoff(driver: StoreDriver) -> int:
    submitted = await driver.submit("aggregation", TOTALS)
    claim = await driver.claim("aggregation")
    await driver.release(claim, ReleaseReason.RETRY_LATER, Written.NOTHING, 60)
    return submitted.job_id


async def draining(driver: StoreDriver) -> int:
    submitted = await driver.submit("csv_ingest", INGEST)
    await driver.claim("csv_ingest")
    await driver.cancel(submitted.pipeline_id)
    return submitted.job_id


async def of_places(driver: StoreDriver) -> int:
    return (await driver.submit("reference_ingest", PLACES)).job_id


async def of_units(driver: StoreDriver) -> int:
    return (await driver.submit("unit_sync", UNITS)).job_id


async def awaiting_repair(driver: StoreDriver) -> int:
    await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.UNKNOWN)
    (repair,) = await driver.jobs_of("emission_recalc")
    job_id: int = repair["job_id"]
    return job_id


@pytest.mark.parametrize(
    "prepare",
    [
        queued,
        running,
        divided,
        recalculated,
        in_backoff,
        draining,
        of_places,
        of_units,
        awaiting_repair,
    ],
)
async def test_a_year_that_may_still_change_is_busy_and_says_with_what(
    driver: StoreDriver, prepare: Prepare
) -> None:
    job_id = await prepare(driver)
    answer = await lock(driver)
    assert isinstance(answer, Refused), answer
    assert answer.reason == "YEAR_BUSY"
    assert answer.metadata == {"year": str(YEAR), "job_ids": str(job_id)}
    assert f"job {job_id} (" in answer.message
    # And it goes on taking jobs.
    await driver.submit("csv_ingest", INGEST)


async def test_a_drain_that_is_over_keeps_no_year_busy(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.cancel(submitted.pipeline_id)
    await driver.release(claim, ReleaseReason.CANCELLED, Written.NOTHING)
    await locked(driver)


@pytest.mark.parametrize(
    ("job_type", "scope"),
    [
        ("csv_ingest", Scope(TENANT, TRAVEL, PLANE, 2025)),
        ("unit_sync", Scope(TENANT, year=2025)),
        ("csv_ingest", Scope("other", TRAVEL, PLANE, YEAR)),
        ("reference_ingest", Scope("other", reference_kind="locations")),
    ],
)
async def test_what_cannot_change_the_year_does_not_keep_it_busy(
    driver: StoreDriver, job_type: str, scope: Scope
) -> None:
    await driver.provision(2025)
    await driver.submit("unit_sync", Scope("other", year=YEAR))
    await driver.finish(await driver.claim("unit_sync"))
    await driver.submit(job_type, scope)
    await locked(driver)


async def test_a_repeated_lock_answers_the_first_and_a_repeated_unlock_nothing(
    driver: StoreDriver,
) -> None:
    first = await locked(driver)
    assert (first.locked_by, first.reason) == ("ann", "reported")
    await driver.pass_time(timedelta(hours=1))
    assert await driver.store.lock_period(TENANT, YEAR, "another", "bob") == first
    assert await driver.store.unlock_period(TENANT, YEAR, "bob") == first
    assert await driver.store.unlock_period(TENANT, YEAR, "bob") is None


async def test_a_year_without_units_and_anothers_year_are_not_there_to_lock(
    driver: StoreDriver,
) -> None:
    for answer in (await lock(driver, 2031), await lock(driver, tenant="other")):
        assert isinstance(answer, Refused)
        assert answer.reason == "YEAR_NOT_PROVISIONED"
    assert await driver.store.unlock_period("other", YEAR, "bob") is None


async def test_lock_against_submit_lets_one_of_them_through(driver: StoreDriver) -> None:
    for _ in range(20):
        submitted, answer = await asyncio.gather(driver.ask("csv_ingest", INGEST), lock(driver))
        assert isinstance(submitted, Submitted) != isinstance(answer, PeriodLock)
        await driver.store.unlock_period(TENANT, YEAR, "ann")
        for claim in await driver.claim_all("csv_ingest"):
            await driver.finish(claim)
