"""A step that reads after an end in doubt waits for what may still be committed, and reads it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.worker_service.ledger.ledger_driver import ENTRIES, SLICE, LedgerDriver
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import CDG, FACTORS, PLACES, UNITS, WorkerHarness, flights
from worker_service.ledger.emission_sets import publish_emissions
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.errors import FenceRefused
from worker_service.ledger.uploads import Contents, publish_upload
from worker_service.mechanics.outcome import Outcome, RetryLater, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.steps import emission_recalc
from worker_service.steps.aggregation import run_aggregation
from worker_service.steps.csv_ingest import run_csv_ingest
from worker_service.steps.emission_recalc import run_emission_recalc
from worker_service.steps.factor_ingest import run_factor_ingest
from worker_service.steps.reference_ingest import run_reference_ingest
from worker_service.steps.stores import Stores
from worker_service.steps.unit_removal import run_unit_removal
from worker_service.steps.unit_sync import run_unit_sync
from worker_service.steps.upload_withdrawal import run_upload_withdrawal

Step = Callable[[Stores, Run], Awaitable[Outcome]]

# Newer than every token that the scheduler has given in such a short life.
DARK, READER = 1_000_000, 1_000_001


async def test_a_recalculation_reads_what_a_claim_in_doubt_committed_in_the_last_moment(
    harness: WorkerHarness,
) -> None:
    driver = LedgerDriver(harness.ledger)
    await harness.load_flights(flights(CDG))
    dark = NewSet("local", DARK, 2, 20, 2024, "0829", "blob:b")
    await driver.load(dark, ["0829"])
    reader = claim("emission_recalc", READER, close_through={ENTRIES: DARK})
    async with driver.publication(DARK) as conn:
        await publish_upload(conn, dark, Contents(1, 1))
        reading = asyncio.ensure_future(run_emission_recalc(harness.stores, reader.run))
        await driver.somebody_waits()
    outcome = await reading
    assert isinstance(outcome, Succeeded)
    assert outcome.stats["entries"] == 2
    with pytest.raises(FenceRefused, match="was closed"):
        async with driver.publication(DARK):
            pytest.fail("its body never runs")


async def test_an_aggregation_reads_what_a_claim_in_doubt_committed_in_the_last_moment(
    harness: WorkerHarness,
) -> None:
    driver = LedgerDriver(harness.ledger)
    await harness.load_flights(flights(CDG))
    plan = await driver.plan("another")
    await driver.load_computed(DARK, plan, kg=7.0)
    reader = claim("aggregation", READER, close_through={SLICE.ledger_scope: DARK})
    async with driver.publication(DARK, SLICE.ledger_scope) as conn:
        await publish_emissions(conn, SLICE, DARK, plan)
        reading = asyncio.ensure_future(run_aggregation(harness.stores, reader.run))
        await driver.somebody_waits()
    outcome = await reading
    assert isinstance(outcome, Succeeded)
    assert float(outcome.stats["total_kg"]) == 7.0
    assert await harness.kg() == {"0828": 7.0}


async def units_of_a_file(stores: Stores, run: Run) -> Outcome:
    return await run_unit_sync(stores, (), run)


@pytest.mark.parametrize(
    ("step", "job_type", "text"),
    [
        (run_csv_ingest, "csv_ingest", flights(CDG)),
        (run_upload_withdrawal, "upload_withdrawal", ""),
        (run_factor_ingest, "factor_ingest", FACTORS),
        (run_reference_ingest, "reference_ingest", PLACES),
        (units_of_a_file, "unit_sync", UNITS),
        (run_unit_removal, "unit_removal", ""),
    ],
)
async def test_every_ingest_closes_what_it_is_told_to(
    idle_harness: WorkerHarness, step: Step, job_type: str, text: str
) -> None:
    driver = LedgerDriver(idle_harness.ledger)
    reader = claim(
        job_type,
        READER,
        payload={
            "blob": idle_harness.blob(text),
            "transport_mode": "plane",
            "upload_id": 1,
            "units": ["0828"],
        },
        close_through={"any/scope": DARK},
        reference_kind="locations",
    )
    await step(idle_harness.stores, reader.run)
    assert await driver.fence("any/scope") == (0, DARK)


@pytest.mark.parametrize("small_rows", [0, 1_000])
async def test_a_recalculation_that_another_overtook_is_tried_again_later(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch, small_rows: int
) -> None:
    """What it has loaded is left to be collected; a small one loads as it publishes."""
    monkeypatch.setattr(emission_recalc, "SMALL_ROWS", small_rows)
    driver = LedgerDriver(harness.ledger)
    await harness.load_flights(flights(CDG))
    await driver.upload(DARK - 1, ["0829"], unit="0829")
    reader = claim("emission_recalc", READER)
    async with driver.publication(DARK, SLICE.ledger_scope):
        reading = asyncio.ensure_future(run_emission_recalc(harness.stores, reader.run))
        await driver.somebody_waits()
    outcome = await reading
    assert isinstance(outcome, RetryLater)
    assert "was written since it was read" in outcome.reason
    assert reader.held.written is Written.NOTHING
    left = await harness.rows("SELECT FROM carbon.emission_sets WHERE emission_set = $1", READER)
    assert (left == []) == (small_rows > 0)
    assert (await driver.fence(SLICE.ledger_scope))[0] == DARK
