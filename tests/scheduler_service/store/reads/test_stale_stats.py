"""Stale totals, from what jobs leave behind."""

from datetime import timedelta

from scheduler_service.jobs.requests import Written
from scheduler_service.jobs.stale_stats import StaleReason, StaleStats, stale_stats
from scheduler_service.jobs.states import JobResult
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    TENANT,
    TOTALS,
    TRAVEL,
    YEAR,
    StoreDriver,
)

HOUR = timedelta(hours=1)


async def stale(driver: StoreDriver, older_than: timedelta = timedelta()) -> list[StaleStats]:
    states, now = await driver.store.module_states(TENANT, None)
    assert now is not None
    found = [stale_stats(one, now, older_than, by_age=False) for one in states]
    return [one for one in found if one is not None]


async def reasons(driver: StoreDriver, older_than: timedelta = timedelta()) -> list[StaleReason]:
    return [one.reason for one in await stale(driver, older_than)]


async def ingested(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await driver.finish(claim)


async def recalculated(driver: StoreDriver) -> None:
    claim = await driver.claim("emission_recalc")
    await driver.chain(claim, ("aggregation", None))
    await driver.finish(claim)


async def test_a_recalculation_that_says_it_changed_nothing_leaves_totals_fresh(
    driver: StoreDriver,
) -> None:
    await ingested(driver)
    await recalculated(driver)
    await driver.finish(await driver.claim("aggregation"))
    await ingested(driver)
    assert await reasons(driver) != []
    await driver.finish(await driver.claim("emission_recalc"), written=Written.NOTHING)
    assert await reasons(driver) == []


async def test_what_an_earlier_claim_of_it_may_have_written_makes_them_stale(
    driver: StoreDriver,
) -> None:
    await ingested(driver)
    await recalculated(driver)
    await driver.finish(await driver.claim("aggregation"))
    await ingested(driver)
    await driver.claim("emission_recalc")
    await driver.let_leases_expire()
    await driver.finish(await driver.claim("emission_recalc"), written=Written.NOTHING)
    # The totals that follow come to nothing, so that only the tokens tell.
    await driver.finish(await driver.claim("aggregation"), JobResult.ERROR, Written.NOTHING)
    [found] = await stale(driver)
    assert found.stale_types == (PLANE,)


async def test_totals_are_stale_from_the_upload_until_they_are_summed(driver: StoreDriver) -> None:
    await ingested(driver)
    [first] = await stale(driver)
    assert first.reason == StaleReason.NO_AGGREGATION_EVER
    assert (first.state.module, first.state.year, first.stale_types) == (TRAVEL, YEAR, (PLANE,))
    assert first.since is not None
    assert await reasons(driver, HOUR) == []
    await recalculated(driver)
    await driver.finish(await driver.claim("aggregation"))
    assert await reasons(driver) == []
    await ingested(driver)
    assert await reasons(driver) == [StaleReason.LAST_AGGREGATION_TOO_OLD]
    assert await reasons(driver, HOUR) == []
    await driver.pass_time(2 * HOUR)
    assert await reasons(driver, HOUR) == [StaleReason.LAST_AGGREGATION_TOO_OLD]


async def test_a_failed_aggregation_is_told_until_one_ends_well(driver: StoreDriver) -> None:
    await ingested(driver)
    await recalculated(driver)
    await driver.finish(await driver.claim("aggregation"))
    await ingested(driver)
    await recalculated(driver)
    failed = await driver.claim("aggregation")
    await driver.finish(failed, JobResult.ERROR, Written.NOTHING)
    [found] = await stale(driver, HOUR)
    assert found.reason == StaleReason.LAST_AGGREGATION_FAILED
    assert found.job is not None
    assert found.job.job_id == failed.row.job_id
    await driver.submit("aggregation", TOTALS)
    await driver.finish(await driver.claim("aggregation"))
    assert await reasons(driver) == []


async def test_an_aggregation_that_waits_for_long_is_stuck(driver: StoreDriver) -> None:
    await ingested(driver)
    await recalculated(driver)
    await driver.finish(await driver.claim("aggregation"))
    waits = await driver.submit("aggregation", TOTALS)
    assert await reasons(driver, HOUR) == []
    await driver.pass_time(2 * HOUR)
    [found] = await stale(driver, HOUR)
    assert found.reason == StaleReason.PENDING_AGGREGATION_STUCK
    assert found.job is not None
    assert (found.job.job_id, found.job.pipeline_id) == (waits.job_id, waits.pipeline_id)


async def test_another_tenant_has_other_totals(driver: StoreDriver) -> None:
    await ingested(driver)
    assert await driver.store.module_states("another", None) == ([], None)
    assert await driver.store.module_states(TENANT, YEAR + 1) == ([], None)
