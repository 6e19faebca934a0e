"""Which pipelines work on the modules of a year."""

import pytest

from scheduler_service.jobs.catalogue import TYPES_OF_MODULE
from scheduler_service.jobs.requests import ChildRequest, Submitted, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.reads import active_pipelines
from scheduler_service.store.reads.active_pipelines import ActivePipelines
from scheduler_service.store.reads.filters import ActiveFilter
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

BUILDINGS, ROOM = 3, 30
ROOMS = Scope(TENANT, BUILDINGS, ROOM, YEAR)


async def found(driver: StoreDriver, year: int = YEAR, *modules: int) -> ActivePipelines:
    return await driver.store.active_pipelines(
        ActiveFilter(TENANT, year, modules or sorted(TYPES_OF_MODULE), with_failed=True)
    )


async def active(driver: StoreDriver, year: int = YEAR, *modules: int) -> dict[int, int]:
    pipelines = (await found(driver, year, *modules)).active
    return {module: pipeline.pipeline_id for module, pipeline in pipelines.items()}


async def test_the_newest_pipeline_of_each_module_is_found(driver: StoreDriver) -> None:
    assert await active(driver) == {}
    jobs = [("csv_ingest", INGEST), ("csv_ingest", INGEST), ("csv_ingest", ROOMS)]
    _, second, rooms = [await driver.submit(job_type, scope) for job_type, scope in jobs]
    assert await active(driver) == {TRAVEL: second.pipeline_id, BUILDINGS: rooms.pipeline_id}
    assert await active(driver, YEAR, BUILDINGS) == {BUILDINGS: rooms.pipeline_id}
    assert await active(driver, YEAR + 1) == {}


async def test_a_pipeline_is_active_until_its_last_step_has_ended(driver: StoreDriver) -> None:
    pipeline = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await driver.finish(claim)
    assert await active(driver) == {TRAVEL: pipeline.pipeline_id}
    claim = await driver.claim("emission_recalc")
    await driver.chain(claim, ("aggregation", None))
    await driver.finish(claim)
    assert await active(driver) == {TRAVEL: pipeline.pipeline_id}
    await driver.finish(await driver.claim("aggregation"))
    assert await active(driver) == {}


async def test_a_pipeline_that_joined_a_job_is_active_too(driver: StoreDriver) -> None:
    await driver.submit("emission_recalc", RECALC)
    joined = await driver.submit("emission_recalc", RECALC)
    assert await active(driver) == {TRAVEL: joined.pipeline_id}


async def test_a_failed_upload_of_the_callers_own_is_found_behind_newer_ones_of_others(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_pipelines, "FAILED_UPLOADS_MAX", 1)
    numbers = {}
    for unit in ("0828", "0900"):
        pipeline = await driver.submit("csv_ingest", Scope(TENANT, TRAVEL, PLANE, YEAR, unit))
        await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
        numbers[unit] = pipeline.pipeline_id
    for unit, number in numbers.items():
        wanted = ActiveFilter(TENANT, YEAR, [TRAVEL], with_failed=True, own_units=(unit,))
        failed = (await driver.store.active_pipelines(wanted)).failed
        assert [row.pipeline_id for row in failed[TRAVEL]] == [number]


async def test_units_and_places_are_of_no_module(driver: StoreDriver) -> None:
    units = await driver.submit("unit_sync", Scope(TENANT, year=YEAR))
    places = await driver.submit("reference_ingest", Scope(TENANT, reference_kind="locations"))
    wide = [one.pipeline_id for one in (await found(driver)).year_wide]
    assert wide == [places.pipeline_id, units.pipeline_id]
    other = [one.pipeline_id for one in (await found(driver, YEAR + 1)).year_wide]
    assert other == [places.pipeline_id]
    assert await active(driver) == {}


async def failed(driver: StoreDriver) -> dict[int, list[int]]:
    pipelines = (await found(driver)).failed
    return {module: [row.pipeline_id for row in rows] for module, rows in pipelines.items()}


async def test_the_last_failure_is_told_until_the_slot_is_claimed_again(
    driver: StoreDriver,
) -> None:
    async def aggregated(result: JobResult) -> Submitted:
        pipeline = await driver.submit("aggregation", TOTALS)
        await driver.finish(await driver.claim("aggregation"), result, Written.NOTHING)
        return pipeline

    assert await failed(driver) == {}
    pipeline = await aggregated(JobResult.ERROR)
    assert await failed(driver) == {TRAVEL: [pipeline.pipeline_id]}
    await aggregated(JobResult.SUCCESS)
    assert await failed(driver) == {}


# Type, unit and source of an upload that fails, and of one that ends well after it.
@pytest.mark.parametrize(
    ("failing", "later", "is_mended"),
    [
        ((PLANE, None, ""), (PLANE, None, ""), True),
        ((PLANE, None, ""), (TRAIN, None, ""), False),
        ((PLANE, "0828", ""), (PLANE, "0828", "default"), True),
        ((PLANE, "0828", ""), (PLANE, "0829", ""), False),
        ((PLANE, None, "agency"), (PLANE, None, ""), False),
        ((PLANE, None, "agency"), (PLANE, None, "Agency"), True),
        ((PLANE, None, "agency "), (PLANE, None, " Agency"), True),
        ((PLANE, None, " "), (PLANE, None, "default"), True),
        ((PLANE, "cern", ""), (PLANE, "CERN ", ""), True),
        ((PLANE, "ÉTÉ", "École"), (PLANE, "été", "ÉCOLE"), True),
    ],
)
async def test_a_failed_upload_is_told_until_one_of_its_type_unit_and_source_ends_well(
    driver: StoreDriver,
    failing: tuple[int, str | None, str],
    later: tuple[int, str | None, str],
    *,
    is_mended: bool,
) -> None:
    async def uploaded(of: tuple[int, str | None, str], result: JobResult) -> int:
        data_entry_type, unit, source = of
        payload = {"blob": "blob:sha256:0"} | ({"source": source} if source else {})
        scope = Scope(TENANT, TRAVEL, data_entry_type, YEAR, unit)
        pipeline = await driver.submit("csv_ingest", scope, payload=payload)
        await driver.finish(await driver.claim("csv_ingest"), result, Written.NOTHING)
        return pipeline.pipeline_id

    first = await uploaded(failing, JobResult.ERROR)
    assert await failed(driver) == {TRAVEL: [first]}
    await uploaded(later, JobResult.SUCCESS)
    assert await failed(driver) == ({} if is_mended else {TRAVEL: [first]})
    # What fails once more mends nothing, and is told first.
    second = await uploaded(failing, JobResult.ERROR)
    assert await failed(driver) == {TRAVEL: [second] if is_mended else [second, first]}


@pytest.mark.parametrize("unit", [None, "0828"])
async def test_a_retry_that_only_computes_makes_no_failed_upload_good(
    driver: StoreDriver, unit: str | None
) -> None:
    scope = Scope(TENANT, TRAVEL, PLANE, YEAR, unit)
    partial = await driver.submit("csv_ingest", scope)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE))
    await driver.finish(ingest)
    await driver.finish(await driver.claim("emission_recalc"), JobResult.ERROR, Written.NOTHING)
    newest = await driver.submit("csv_ingest", scope)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    await driver.retry(partial.pipeline_id)
    await driver.finish(await driver.claim("emission_recalc"))
    assert await failed(driver) == {TRAVEL: [newest.pipeline_id]}


async def test_a_retry_of_the_upload_itself_makes_it_good(driver: StoreDriver) -> None:
    pipeline = await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    await driver.retry(pipeline.pipeline_id)
    await driver.finish(await driver.claim("csv_ingest"))
    assert await failed(driver) == {}


async def test_a_cancelled_upload_makes_no_failed_one_good(driver: StoreDriver) -> None:
    pipeline = await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    later = await driver.submit("csv_ingest", INGEST)
    await driver.cancel(later.pipeline_id)
    assert await failed(driver) == {TRAVEL: [pipeline.pipeline_id]}


@pytest.mark.parametrize(
    "job_type", ["routed_ingest", "routed_factor_ingest", "module_emission_recalc"]
)
async def test_who_only_chains_what_changes_a_module_works_on_it(
    driver: StoreDriver, job_type: str
) -> None:
    pipeline = await driver.submit(job_type, TOTALS)
    assert await active(driver) == {TRAVEL: pipeline.pipeline_id}


async def divided(driver: StoreDriver, source: str, results: dict[int, JobResult]) -> int:
    """The pipeline of a file of several types, whose parts end like this."""
    pipeline = await driver.submit("routed_ingest", TOTALS)
    file = await driver.claim("routed_ingest")
    payload = {"blob": "blob:sha256:0", "source": source}
    parts = (ChildRequest(f"{t}", "csv_ingest", t, None, None, payload) for t in results)
    await driver.chain_all(file, *parts)
    await driver.finish(file)
    while claims := await driver.claim_all("csv_ingest"):
        for claim in claims:
            ended_with = results[claim.row.scope.data_entry_type or 0]
            await driver.finish(claim, ended_with, Written.NOTHING)
    return pipeline.pipeline_id


async def test_a_part_of_a_file_is_told_until_one_of_its_type_and_source_ends_well(
    driver: StoreDriver,
) -> None:
    good, bad = JobResult.SUCCESS, JobResult.ERROR
    file = await divided(driver, "agency", {PLANE: bad, TRAIN: good})
    assert await driver.status(file) == "PARTIAL"
    assert await failed(driver) == {TRAVEL: [file]}
    # Another source takes the slot of the type, and brings nothing of this one's.
    await divided(driver, "", {PLANE: good})
    other = await divided(driver, "agency", {TRAIN: bad, PLANE: bad})
    assert await failed(driver) == {TRAVEL: [other, file]}
    for data_entry_type, left in ((PLANE, {TRAVEL: [other]}), (TRAIN, {})):
        scope = Scope(TENANT, TRAVEL, data_entry_type, YEAR)
        payload = {"blob": "blob:sha256:0", "source": "Agency"}
        await driver.submit("csv_ingest", scope, payload=payload)
        await driver.finish(await driver.claim("csv_ingest"))
        assert await failed(driver) == left


async def test_a_part_that_failed_is_told_once_the_rest_of_its_file_has_ended(
    driver: StoreDriver,
) -> None:
    pipeline = await driver.submit("routed_ingest", TOTALS)
    file = await driver.claim("routed_ingest")
    await driver.chain(file, ("csv_ingest", PLANE), ("csv_ingest", TRAIN))
    await driver.finish(file)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    assert await failed(driver) == {}
    await driver.finish(await driver.claim("csv_ingest"))
    assert await failed(driver) == {TRAVEL: [pipeline.pipeline_id]}
