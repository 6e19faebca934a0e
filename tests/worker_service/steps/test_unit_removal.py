"""Units are removed where no entry uses them, and no entry is left without its unit."""

import asyncio
from collections.abc import Sequence

import pytest

from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.ledger.ledger_driver import (
    ENTRIES,
    MODULE,
    PLANE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import CDG, JFK, WorkerHarness, flights
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.units import hold_units, read_units, remove_units
from worker_service.ledger.uploads import Contents, publish_upload
from worker_service.mechanics.outcome import Failed, Succeeded, Written
from worker_service.steps.csv_ingest import run_csv_ingest
from worker_service.steps.unit_removal import run_unit_removal

LATER, LATEST = 1_000_000, 1_000_001


async def remove(harness: WorkerHarness, *units: str) -> types_pb2.Job:
    scope = harness.client.scope()
    answer = await harness.client.submit("unit_removal", scope, {"units": list(units)})
    view: PipelineView = await harness.ended(answer.pipeline_id)
    [job] = view.in_order()
    return job


async def units_of(harness: WorkerHarness) -> Sequence[str]:
    return await read_units(harness.ledger, TENANT)


async def test_units_that_no_entry_uses_are_removed_and_come_back_by_a_file(
    harness: WorkerHarness,
) -> None:
    await harness.load_units("unit_institutional_id,name\n828,Physics?\nÉcole,School\n")
    await harness.load_flights(flights(CDG))
    before = await harness.kg()
    job = await remove(harness, "828", " éCOLE ", "828")
    assert job.result == types_pb2.JOB_RESULT_SUCCESS
    assert job.message == "828, École were removed."
    assert await units_of(harness) == ["0828", "0829"]
    assert await harness.kg() == before
    await harness.load_units("unit_institutional_id,name\nÉcole,School\n")
    assert await units_of(harness) == ["0828", "0829", "École"]


async def test_a_unit_that_entries_use_stays_and_so_do_the_others_of_the_list(
    harness: WorkerHarness,
) -> None:
    await harness.load_units("unit_institutional_id,name\n0830,Chemistry\n")
    await harness.load_flights(flights(CDG, CDG, JFK))
    job = await remove(harness, "0830", "0829", "0828")
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "units_in_use")
    assert job.message == (
        "Nothing was changed: 3 entries use 0828, 0829. Upload their files without these units,"
        " or withdraw the uploads."
    )
    assert await units_of(harness) == ["0828", "0829", "0830"]
    # What was replaced does not count, and holds on to no unit.
    await harness.load_flights(flights(JFK, JFK))
    assert (await remove(harness, "0828")).result == types_pb2.JOB_RESULT_SUCCESS


async def test_what_is_not_a_unit_is_named_and_nothing_is_removed(harness: WorkerHarness) -> None:
    job = await remove(harness, "0828", "0999", "x\n")
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "unknown_unit")
    assert job.message == (
        "Nothing was changed: 0999, x are not units of the institution. `carbonline units` lists"
        " those that are."
    )
    assert await units_of(harness) == ["0828", "0829"]


async def test_a_second_attempt_finds_the_work_of_the_first(harness: WorkerHarness) -> None:
    for token, attempt in ((LATER, 1), (LATEST, 2)):
        units = {"units": ["0829"]}
        removal = claim("unit_removal", token, job_id=LATER, payload=units, attempt=attempt)
        outcome = await run_unit_removal(harness.stores, removal.run)
        assert isinstance(outcome, Succeeded)
        assert outcome.message == "0829 was removed."
        assert outcome.stats == {"units_removed": 1}
    assert await units_of(harness) == ["0828"]


async def test_a_removal_waits_for_entries_that_are_being_published_and_finds_them(
    harness: WorkerHarness,
) -> None:
    driver = LedgerDriver(harness.ledger)
    new = NewSet(TENANT, LATER, MODULE, PLANE, YEAR, None, "blob:a")
    await driver.load(new, ["0829"])
    removal = claim("unit_removal", LATEST, payload={"units": ["0829"]})
    async with driver.publication(LATER) as conn:
        await hold_units(conn, TENANT, ["0829"])
        await publish_upload(conn, new, Contents(1, 1))
        removing = asyncio.ensure_future(run_unit_removal(harness.stores, removal.run))
        await driver.somebody_waits("units")
    outcome = await removing
    assert isinstance(outcome, Failed)
    assert outcome.cause == "units_in_use"
    assert removal.held.written is Written.NOTHING
    assert await units_of(harness) == ["0828", "0829"]


async def test_an_upload_whose_unit_goes_while_it_is_read_is_refused(
    harness: WorkerHarness,
) -> None:
    driver = LedgerDriver(harness.ledger)
    ingest = claim("csv_ingest", LATEST, payload={"blob": harness.blob(flights(CDG, JFK))})
    async with driver.publication(LATER):
        reading = asyncio.ensure_future(run_csv_ingest(harness.stores, ingest.run))
        await driver.somebody_waits()
        await driver.publish(LATER, "units", lambda c: remove_units(c, TENANT, ["0829"]))
    outcome = await reading
    assert isinstance(outcome, Failed)
    assert outcome.cause == "unknown_unit"
    assert outcome.message == (
        "Nothing was changed: units were removed while the file was read: 0829."
        " Load them first, or submit it again."
    )
    assert ingest.held.written is Written.NOTHING
    assert (await driver.fence(ENTRIES))[0] == LATER


@pytest.mark.parametrize("units", ["0828", [], [""], ["0828"] * 1_001])
async def test_a_list_that_is_none_is_refused_by_the_step_also(
    harness: WorkerHarness, units: object
) -> None:
    removal = claim("unit_removal", LATER, payload={"units": units})
    outcome = await run_unit_removal(harness.stores, removal.run)
    assert isinstance(outcome, Failed)
    assert outcome.cause == "no_units"
