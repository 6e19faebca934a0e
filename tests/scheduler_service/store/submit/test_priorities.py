"""A job is as urgent as the most urgent of those who want it, and so is what follows it."""

import asyncpg
import pytest

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Disposition, ReleaseReason
from scheduler_service.jobs.scope import Scope
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

OTHER_RECALC = Scope(TENANT, TRAVEL, TRAIN, YEAR)


async def priorities(driver: StoreDriver, job_type: str) -> list[int]:
    return [job["priority"] for job in await driver.jobs_of(job_type)]


async def test_children_and_held_children_inherit_the_priority(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST, priority=2)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    assert await priorities(driver, "emission_recalc") == [2, 2]
    for recalc in await driver.claim_all("emission_recalc"):
        await driver.chain(recalc, ("aggregation", None))
        await driver.finish(recalc)
    assert await priorities(driver, "aggregation") == [2]


async def test_a_held_child_is_as_urgent_as_the_most_urgent_that_chained_it(
    driver: StoreDriver,
) -> None:
    await driver.submit("csv_ingest", INGEST, priority=7)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    await driver.submit("emission_recalc", OTHER_RECALC, priority=1)
    assert sorted(await priorities(driver, "emission_recalc")) == [1, 7]
    recalcs = await driver.claim_all("emission_recalc")
    assert [claim.row.priority for claim in recalcs] == [1, 7]
    for recalc in recalcs:
        await driver.chain(recalc, ("aggregation", None))
        await driver.finish(recalc)
    assert {*await priorities(driver, "aggregation")} == {1}


async def test_a_joiner_raises_a_waiting_job_and_never_lowers_it(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT), priority=4)
    first = await driver.submit("emission_recalc", RECALC)
    joined = await driver.submit("emission_recalc", RECALC, priority=1)
    assert joined.disposition is Disposition.JOINED
    assert await priorities(driver, "emission_recalc") == [1]
    await driver.submit("emission_recalc", RECALC, priority=9)
    assert await priorities(driver, "emission_recalc") == [1]
    claims = await driver.claim_all("noop", "emission_recalc")
    assert claims[0].row.job_id == first.job_id


async def test_joiners_of_one_batch_raise_their_job_too(driver: StoreDriver) -> None:
    asked = [driver.submission("aggregation", TOTALS, priority=p) for p in (6, 3, 8)]
    await driver.submit_jobs(asked)
    assert await priorities(driver, "aggregation") == [3]


async def test_a_child_that_joins_raises_the_job(driver: StoreDriver) -> None:
    waiting = await driver.submit("emission_recalc", RECALC)
    await driver.submit("csv_ingest", INGEST, priority=0)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await driver.finish(claim)
    assert (await driver.job(waiting.job_id))["priority"] == 0


async def test_a_job_that_comes_back_is_as_urgent_as_the_duplicate_it_supersedes(
    driver: StoreDriver,
) -> None:
    first = await driver.submit("emission_recalc", RECALC)
    claim = await driver.claim("emission_recalc")
    await driver.submit("emission_recalc", RECALC, priority=2)
    await driver.release(claim, ReleaseReason.RETRY_LATER)
    assert (await driver.job(first.job_id))["priority"] == 2


DEDUPS = [row.dedup for row in JOB_TYPES.values() if row.dedup is not None]


async def test_who_is_first_of_a_key_is_as_urgent_as_those_behind_it(driver: StoreDriver) -> None:
    slow = [await driver.submit("csv_ingest", INGEST, priority=9) for _ in range(3)]
    other = [await driver.submit("noop", Scope(TENANT)) for _ in range(4)]
    running = await driver.claim("csv_ingest")
    await driver.submit("csv_ingest", INGEST, priority=9)
    assert (await driver.claim("csv_ingest", "noop")).row.job_id == other[0].job_id
    # It waits behind one that runs and two that wait.
    await driver.submit("csv_ingest", INGEST, priority=1)
    await driver.finish(running)
    second = await driver.claim("csv_ingest", "noop")
    assert (second.row.job_id, second.row.priority) == (slow[1].job_id, 1)
    assert await driver.release(second, ReleaseReason.DRAIN, delay_seconds=0.0)
    again = await driver.claim("csv_ingest", "noop")
    assert again.row.job_id == slow[1].job_id
    await driver.finish(again)
    third = await driver.claim("csv_ingest", "noop")
    assert (third.row.job_id, third.row.priority) == (slow[2].job_id, 1)


async def test_a_claimable_job_becomes_as_urgent_as_who_comes_behind_it(
    driver: StoreDriver,
) -> None:
    first = await driver.submit("csv_ingest", INGEST, priority=9)
    await driver.submit("noop", Scope(TENANT))
    await driver.submit("csv_ingest", INGEST, priority=1)
    assert (await driver.claim("csv_ingest", "noop")).row.job_id == first.job_id
    # Nobody else's key is concerned, and nobody becomes less urgent.
    await driver.submit("csv_ingest", INGEST, priority=7)
    assert sorted(await priorities(driver, "csv_ingest")) == [1, 1, 7]


@pytest.mark.parametrize("dedup", DEDUPS, ids=lambda dedup: dedup.job_type)
async def test_each_dedup_names_a_unique_index_of_waiting_jobs(
    dedup: object, database_url: str
) -> None:
    conn = await asyncpg.connect(database_url)
    try:
        [found] = await conn.fetch(
            "SELECT i.indisunique, i.indisvalid, pg_get_expr(i.indpred, i.indrelid) AS predicate"
            " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = 'scheduler.jobs'::regclass AND c.relname = $1",
            dedup.constraint_name,  # type: ignore[attr-defined]
        )
    finally:
        await conn.close()
    assert found["indisunique"]
    assert found["indisvalid"]
    assert "NOT_STARTED" in found["predicate"]
    assert "QUEUED" in found["predicate"]
