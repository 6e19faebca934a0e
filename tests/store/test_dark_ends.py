"""Claims that may have written unseen: nothing of them is missed, whatever comes after."""

from dataclasses import replace

from scheduler_service.jobs.requests import ReleaseReason, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from tests.store.desk import INGEST, PLANE, RECALC, TENANT, YEAR, Desk


async def test_a_lapsed_ingest_closes_its_scope_for_the_readers_after_it(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    dark = await desk.claim("csv_ingest")
    assert await desk.let_leases_lapse() == 1
    retry = await desk.claim("csv_ingest")
    await desk.chain(retry, ("emission_recalc", PLANE))
    await desk.finish(retry)
    recalc = await desk.claim("emission_recalc")
    assert recalc.close_through == {"entries/2/2024": dark.claim_token}


async def test_a_retry_that_chains_nothing_is_followed_up_all_the_same(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    await desk.claim("csv_ingest")
    await desk.let_leases_lapse()
    retry = await desk.claim("csv_ingest")
    await desk.finish(retry)
    (recalc,) = await desk.jobs_of("emission_recalc")
    assert recalc["pipeline_id"] == submitted.pipeline_id


async def test_a_staged_child_is_not_doubled_by_the_follow_up(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    await desk.claim("csv_ingest")
    await desk.let_leases_lapse()
    retry = await desk.claim("csv_ingest")
    await desk.chain(retry, ("emission_recalc", PLANE))
    await desk.finish(retry)
    assert len(await desk.jobs_of("emission_recalc")) == 1


async def test_an_abandoned_dark_job_is_repaired_by_another_pipeline(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    for _ in range(5):
        await desk.claim("csv_ingest")
        await desk.let_leases_lapse()
    assert await desk.status(submitted.pipeline_id) == "FAILED"
    (recalc,) = await desk.jobs_of("emission_recalc")
    repair = await desk.pipeline(recalc["pipeline_id"])
    assert (repair["kind"], repair["repair_of"]) == ("repair", submitted.pipeline_id)
    claim = await desk.claim("emission_recalc")
    await desk.chain(claim, ("aggregation", None))
    await desk.finish(claim)
    await desk.finish(await desk.claim("aggregation"))
    assert await desk.status(recalc["pipeline_id"]) == "SUCCESS"


async def test_an_error_that_wrote_nothing_is_not_dark(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    await desk.finish(await desk.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    assert await desk.jobs_of("emission_recalc") == []


async def test_an_error_that_says_nothing_of_what_it_wrote_is_dark(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    await desk.finish(await desk.claim("csv_ingest"), JobResult.ERROR, Written.UNKNOWN)
    assert len(await desk.jobs_of("emission_recalc")) == 1


async def test_a_drain_that_wrote_nothing_is_not_dark(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    await desk.release(await desk.claim("csv_ingest"), ReleaseReason.DRAIN, Written.NOTHING)
    assert (await desk.job(submitted.job_id))["dark_token"] is None


async def test_a_dark_recalculation_is_followed_by_an_aggregation(desk: Desk) -> None:
    await desk.submit("emission_recalc", RECALC)
    dark = await desk.claim("emission_recalc")
    await desk.finish(dark, JobResult.ERROR, Written.UNKNOWN)
    aggregation = await desk.claim("aggregation")
    assert aggregation.close_through == {"emissions/20/2024": dark.claim_token}


async def test_dark_reference_data_repair_every_open_year(desk: Desk) -> None:
    await desk.provision(2023)
    await desk.submit(
        "reference_ingest", Scope(TENANT, reference_kind="locations"), payload={"blob": "x"}
    )
    claim = await desk.claim("reference_ingest")
    await desk.finish(claim, JobResult.ERROR, Written.UNKNOWN)
    recalcs = await desk.jobs_of("emission_recalc")
    assert {(r["data_entry_type"], r["year"]) for r in recalcs} == {
        (20, 2023),
        (21, 2023),
        (20, YEAR),
        (21, YEAR),
    }
    assert len({r["pipeline_id"] for r in recalcs}) == 1


async def test_freshness_tells_of_a_change_until_its_aggregation_has_ended(desk: Desk) -> None:
    async def fresh() -> bool:
        return bool(
            await desk.store.pool.fetchval(
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

    await desk.submit("csv_ingest", INGEST)
    ingest = await desk.claim("csv_ingest")
    await desk.chain(ingest, ("emission_recalc", PLANE))
    await desk.finish(ingest)
    assert not await fresh()
    recalc = await desk.claim("emission_recalc")
    await desk.chain(recalc, ("aggregation", None))
    await desk.finish(recalc)
    assert not await fresh()
    await desk.finish(await desk.claim("aggregation"))
    assert await fresh()
    await desk.submit("csv_ingest", replace(INGEST))
    again = await desk.claim("csv_ingest")
    await desk.chain(again, ("emission_recalc", PLANE))
    await desk.finish(again)
    assert not await fresh()
    recalc = await desk.claim("emission_recalc")
    await desk.chain(recalc, ("aggregation", None))
    await desk.finish(recalc)
    # The aggregation before has not seen it.
    assert not await fresh()
    await desk.finish(await desk.claim("aggregation"))
    assert await fresh()
