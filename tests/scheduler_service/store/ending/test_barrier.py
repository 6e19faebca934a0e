"""Totals that wait for a sibling are made whichever way the last sibling ends."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from scheduler_service.jobs.requests import ReleaseReason, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from tests.scheduler_service.store.store_driver import INGEST, PLANE, RECALC, TRAIN, StoreDriver

SIBLING = Scope(RECALC.tenant, RECALC.module, TRAIN, RECALC.year)
RETRY_LATER = ReleaseReason.RETRY_LATER


async def hold_totals(driver: StoreDriver) -> int:
    """Uploads, and recalculates all but the sibling: the totals wait for it. The pipeline."""
    submitted = await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(ingest)
    claims = {c.row.scope.data_entry_type: c for c in await driver.claim_all("emission_recalc")}
    first = claims.pop(PLANE)
    for other in claims.values():
        await driver.release(other)
    await driver.chain(first, ("aggregation", None))
    await driver.finish(first)
    assert await driver.jobs_of("aggregation") == []
    return submitted.pipeline_id


async def finishes(driver: StoreDriver) -> None:
    await driver.finish(await driver.claim("emission_recalc"))


async def fails(driver: StoreDriver) -> None:
    await driver.finish(await driver.claim("emission_recalc"), JobResult.ERROR, Written.NOTHING)


async def is_given_up(driver: StoreDriver) -> None:
    last = await driver.claim("emission_recalc")
    for _ in range(last.row.attempts_max - 1):
        assert await driver.release(last, RETRY_LATER, delay_seconds=0.0)
        last = await driver.claim("emission_recalc")
    assert await driver.release(last, RETRY_LATER)


async def expires(driver: StoreDriver) -> None:
    last = await driver.claim("emission_recalc")
    for _ in range(last.row.attempts_max - 1):
        assert await driver.let_leases_expire() == 1
        await driver.another().claim("emission_recalc")
    assert await driver.let_leases_expire() == 1


LastEnd: TypeAlias = Callable[[StoreDriver], Awaitable[None]]


@pytest.mark.parametrize("end", [finishes, fails, is_given_up, expires])
async def test_the_last_end_of_a_sibling_makes_the_totals(
    driver: StoreDriver, end: LastEnd
) -> None:
    pipeline_id = await hold_totals(driver)
    await end(driver)
    [totals] = await driver.jobs_of("aggregation")
    assert (totals["state"], totals["pipeline_id"]) == ("QUEUED", pipeline_id)


async def test_a_cancel_ends_what_waits_and_what_it_waits_for(driver: StoreDriver) -> None:
    pipeline_id = await hold_totals(driver)
    await driver.cancel(pipeline_id)
    assert await driver.status(pipeline_id) == "CANCELLED"
    held = await driver.store.pool.fetchval("SELECT count(*) FROM scheduler.held_children")
    assert held == 0
    assert await driver.jobs_of("aggregation") == []


async def test_totals_wait_for_a_sibling_that_passes_on_to_their_pipeline(
    driver: StoreDriver,
) -> None:
    owner = await driver.submit("emission_recalc", SIBLING)
    pipeline_id = await hold_totals(driver)
    await driver.cancel(owner.pipeline_id)
    [sibling] = [j for j in await driver.jobs_of("emission_recalc") if j["state"] == "QUEUED"]
    assert (sibling["job_id"], sibling["pipeline_id"]) == (owner.job_id, pipeline_id)
    assert await driver.jobs_of("aggregation") == []
    await finishes(driver)
    assert [j["pipeline_id"] for j in await driver.jobs_of("aggregation")] == [pipeline_id]


async def test_totals_wait_for_who_supersedes_the_last_sibling(driver: StoreDriver) -> None:
    owner = await driver.submit("emission_recalc", SIBLING)
    back = await driver.claim("emission_recalc")
    pipeline_id = await hold_totals(driver)
    await driver.release(back)
    [own] = [j for j in await driver.jobs_of("emission_recalc") if j["superseded_by"]]
    assert (own["pipeline_id"], own["superseded_by"]) == (pipeline_id, owner.job_id)
    assert await driver.jobs_of("aggregation") == []
    await finishes(driver)
    [totals] = await driver.jobs_of("aggregation")
    assert totals["state"] == "QUEUED"
    await driver.finish(await driver.claim("aggregation"))
    for one in (pipeline_id, owner.pipeline_id):
        assert await driver.status(one) == "SUCCESS"
