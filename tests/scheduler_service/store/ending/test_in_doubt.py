"""Claims that may have written unseen: nothing of them is missed, whatever comes after."""

import asyncio
from dataclasses import replace

import asyncpg

from scheduler_service.jobs.requests import ReleaseReason, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    YEAR,
    StoreDriver,
)


async def test_an_expired_ingest_closes_its_ledger_scope_for_the_readers_after_it(
    driver: StoreDriver,
) -> None:
    await driver.submit("csv_ingest", INGEST)
    dark = await driver.claim("csv_ingest")
    assert await driver.let_leases_expire() == 1
    retry = await driver.claim("csv_ingest")
    await driver.chain(retry, ("emission_recalc", PLANE))
    await driver.finish(retry)
    recalc = await driver.claim("emission_recalc")
    assert recalc.close_through == {"entries/2/2024": dark.claim_token}


async def test_a_retry_that_chains_nothing_is_followed_up_all_the_same(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    await driver.claim("csv_ingest")
    await driver.let_leases_expire()
    retry = await driver.claim("csv_ingest")
    await driver.finish(retry)
    (recalc,) = await driver.jobs_of("emission_recalc")
    assert recalc["pipeline_id"] == submitted.pipeline_id


async def test_a_staged_child_is_not_doubled_by_the_follow_up(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.claim("csv_ingest")
    await driver.let_leases_expire()
    retry = await driver.claim("csv_ingest")
    await driver.chain(retry, ("emission_recalc", PLANE))
    await driver.finish(retry)
    assert len(await driver.jobs_of("emission_recalc")) == 1


async def test_an_abandoned_job_in_doubt_is_repaired_by_a_pipeline(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    for _ in range(5):
        await driver.claim("csv_ingest")
        await driver.let_leases_expire()
    assert await driver.status(submitted.pipeline_id) == "FAILED"
    (recalc,) = await driver.jobs_of("emission_recalc")
    repair = await driver.pipeline(recalc["pipeline_id"])
    assert (repair["kind"], repair["repair_of"]) == ("repair", submitted.pipeline_id)
    claim = await driver.claim("emission_recalc")
    await driver.chain(claim, ("aggregation", None))
    await driver.finish(claim)
    await driver.finish(await driver.claim("aggregation"))
    assert await driver.status(recalc["pipeline_id"]) == "SUCCESS"


async def test_an_error_that_wrote_nothing_is_not_dark(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    assert await driver.jobs_of("emission_recalc") == []


async def test_an_error_that_says_nothing_of_what_it_wrote_is_dark(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.UNKNOWN)
    assert len(await driver.jobs_of("emission_recalc")) == 1


async def test_a_drain_that_wrote_nothing_is_not_dark(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    await driver.release(await driver.claim("csv_ingest"), ReleaseReason.DRAIN, Written.NOTHING)
    assert (await driver.job(submitted.job_id))["in_doubt_token"] is None


async def test_a_dark_recalculation_is_followed_by_an_aggregation(driver: StoreDriver) -> None:
    await driver.submit("emission_recalc", RECALC)
    dark = await driver.claim("emission_recalc")
    await driver.finish(dark, JobResult.ERROR, Written.UNKNOWN)
    aggregation = await driver.claim("aggregation")
    assert aggregation.close_through == {"emissions/20/2024": dark.claim_token}


async def test_reference_data_in_doubt_repair_every_open_year(driver: StoreDriver) -> None:
    await driver.provision(2023)
    await driver.submit(
        "reference_ingest", Scope(TENANT, reference_kind="locations"), payload={"blob": "x"}
    )
    claim = await driver.claim("reference_ingest")
    await driver.finish(claim, JobResult.ERROR, Written.UNKNOWN)
    recalcs = await driver.jobs_of("emission_recalc")
    assert {(r["data_entry_type"], r["year"]) for r in recalcs} == {
        (20, 2023),
        (21, 2023),
        (20, YEAR),
        (21, YEAR),
    }
    assert len({r["pipeline_id"] for r in recalcs}) == 1


async def test_freshness_tells_of_a_change_until_its_aggregation_has_ended(
    driver: StoreDriver,
) -> None:
    async def fresh() -> bool:
        return bool(
            await driver.store.pool.fetchval(
                """SELECT t.changed_token < t.recalc_claim
                    AND t.recalc_end < coalesce(m.agg_claim, 0)
                FROM scheduler.type_freshness AS t
                LEFT JOIN scheduler.module_freshness AS m
                    ON m.tenant = t.tenant AND m.year = t.year AND m.module = 2
                WHERE t.tenant = $1 AND t.data_entry_type = 20 AND t.year = $2""",
                TENANT,
                YEAR,
            )
        )

    await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE))
    await driver.finish(ingest)
    assert not await fresh()
    recalc = await driver.claim("emission_recalc")
    await driver.chain(recalc, ("aggregation", None))
    await driver.finish(recalc)
    assert not await fresh()
    await driver.finish(await driver.claim("aggregation"))
    assert await fresh()
    await driver.submit("csv_ingest", replace(INGEST))
    again = await driver.claim("csv_ingest")
    await driver.chain(again, ("emission_recalc", PLANE))
    await driver.finish(again)
    assert not await fresh()
    recalc = await driver.claim("emission_recalc")
    await driver.chain(recalc, ("aggregation", None))
    await driver.finish(recalc)
    # The aggregation before has not seen it.
    assert not await fresh()
    await driver.finish(await driver.claim("aggregation"))
    assert await fresh()


async def test_a_claim_looks_for_doubts_behind_its_locks(
    driver: StoreDriver, database_url: str
) -> None:
    """A statement that has waited for a lock sees a doubt that came meanwhile."""
    asking, holding = [await asyncpg.connect(database_url) for _ in range(2)]
    try:
        await holding.execute("SELECT pg_advisory_lock(7)")
        ask = """
            WITH waited AS MATERIALIZED (SELECT pg_advisory_xact_lock(7))
            SELECT scheduler.has_doubts($1) FROM waited
        """
        answer = asyncio.create_task(asking.fetchval(ask, TENANT))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        async with asyncio.timeout(10):
            while not await holding.fetchval(waiting):  # noqa: ASYNC110 - it is asked for
                await asyncio.sleep(0.01)
        await holding.execute(
            "INSERT INTO scheduler.ledger_scopes_in_doubt VALUES ($1, 'entries/2/2024', 7)", TENANT
        )
        await holding.execute("SELECT pg_advisory_unlock(7)")
        assert await answer
    finally:
        await asking.close()
        await holding.close()
