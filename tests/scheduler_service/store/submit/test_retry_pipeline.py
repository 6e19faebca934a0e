"""RetryPipeline runs again what a pipeline left undone, unless a newer upload has landed."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from scheduler_service.jobs.requests import (
    ChildRequest,
    Disposition,
    Refused,
    Retried,
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
    TRAIN,
    TRAVEL,
    YEAR,
    StoreDriver,
)

OF_A_UNIT = Scope(TENANT, TRAVEL, PLANE, YEAR, "0828")
PLACES = Scope(TENANT, reference_kind="locations")


async def retried(driver: StoreDriver, pipeline_id: int, **how: Any) -> Retried:
    answer = await driver.retry(pipeline_id, **how)
    assert isinstance(answer, Retried), answer
    return answer


async def refused(driver: StoreDriver, pipeline_id: int, **how: Any) -> Refused:
    answer = await driver.retry(pipeline_id, **how)
    assert isinstance(answer, Refused), answer
    return answer


async def failed(
    driver: StoreDriver, job_type: str = "csv_ingest", scope: Scope = INGEST, **fields: Any
) -> Submitted:
    """A pipeline whose root failed, and wrote nothing."""
    submitted = await driver.submit(job_type, scope, **fields)
    await driver.finish(await driver.claim(job_type), JobResult.ERROR, Written.NOTHING)
    return submitted


async def landed(driver: StoreDriver, scope: Scope = INGEST, **fields: Any) -> Submitted:
    """An upload that was stored."""
    submitted = await driver.submit("csv_ingest", scope, **fields)
    await driver.finish(await driver.claim("csv_ingest"))
    return submitted


async def test_a_failed_upload_runs_again_as_a_new_job_of_a_new_pipeline(
    driver: StoreDriver,
) -> None:
    payload = {"blob": "blob:sha256:1", "source": "agency"}
    submitted = await failed(driver, payload=payload, priority=3)
    answer = await retried(driver, submitted.pipeline_id)
    (job,) = answer.jobs
    assert (job.failed_job_id, job.disposition) == (submitted.job_id, Disposition.CREATED)
    assert await driver.state(submitted.job_id) == "FINISHED ERROR"
    claim = await driver.claim("csv_ingest")
    assert (claim.row.job_id, claim.row.payload, claim.row.attempts) == (job.job_id, payload, 1)
    await driver.chain(claim, ("emission_recalc", PLANE))
    await driver.finish(claim)
    await driver.finish(await driver.claim("emission_recalc"))
    pipeline = await driver.pipeline(answer.pipeline_id)
    assert (pipeline["status"], pipeline["retry_of"]) == ("SUCCESS", submitted.pipeline_id)
    assert (pipeline["kind"], pipeline["submitted_by"]) == ("csv_ingest", "tester")
    assert await driver.status(submitted.pipeline_id) == "FAILED"


async def test_of_a_partial_pipeline_only_what_failed_runs_again(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(ingest)
    plane, train = sorted(
        await driver.claim_all("emission_recalc"), key=lambda c: c.row.data_entry_type or 0
    )
    await driver.finish(train)
    await driver.finish(plane, JobResult.ERROR, Written.NOTHING)
    assert await driver.status(submitted.pipeline_id) == "PARTIAL"
    answer = await retried(driver, submitted.pipeline_id)
    assert [job.failed_job_id for job in answer.jobs] == [plane.row.job_id]
    again = await driver.claim("emission_recalc")
    assert again.row.data_entry_type == PLANE
    await driver.chain(again, ("aggregation", None))
    await driver.finish(again)
    await driver.finish(await driver.claim("aggregation"))
    assert await driver.status(answer.pipeline_id) == "SUCCESS"


async def test_an_aggregation_that_failed_runs_again_alone(driver: StoreDriver) -> None:
    submitted = await driver.submit("emission_recalc", RECALC)
    recalc = await driver.claim("emission_recalc")
    await driver.chain(recalc, ("aggregation", None))
    await driver.finish(recalc)
    await driver.finish(await driver.claim("aggregation"), JobResult.ERROR, Written.NOTHING)
    answer = await retried(driver, submitted.pipeline_id)
    assert [job.job_type for job in answer.jobs] == ["aggregation"]
    await driver.cancel(answer.pipeline_id)


async def test_a_cancelled_pipeline_runs_again_what_it_left_undone(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    await driver.cancel(submitted.pipeline_id)
    answer = await retried(driver, submitted.pipeline_id)
    assert [job.failed_job_id for job in answer.jobs] == [submitted.job_id]
    await driver.finish(await driver.claim("csv_ingest"))


async def test_a_retry_joins_a_job_that_waits(driver: StoreDriver) -> None:
    submitted = await failed(driver, "emission_recalc", RECALC)
    waiting = await driver.submit("emission_recalc", RECALC)
    answer = await retried(driver, submitted.pipeline_id)
    assert [(job.job_id, job.disposition) for job in answer.jobs] == [
        (waiting.job_id, Disposition.JOINED)
    ]
    await driver.finish(await driver.claim("emission_recalc"))
    assert await driver.status(answer.pipeline_id) == "SUCCESS"


async def test_a_retry_waits_behind_older_jobs_of_its_key(driver: StoreDriver) -> None:
    submitted = await failed(driver)
    await driver.submit("csv_ingest", Scope(TENANT, TRAVEL, TRAIN, YEAR))
    (job,) = (await retried(driver, submitted.pipeline_id)).jobs
    assert job.disposition is Disposition.QUEUED_BEHIND
    assert await driver.state(job.job_id) == "NOT_STARTED"


@pytest.mark.parametrize("scope", [INGEST, OF_A_UNIT])
async def test_an_upload_that_a_newer_one_has_replaced_does_not_come_back(
    driver: StoreDriver, scope: Scope
) -> None:
    submitted = await failed(driver, scope=scope)
    newer = await landed(driver, scope)
    why = await refused(driver, submitted.pipeline_id)
    assert (why.reason, why.metadata) == ("SUPERSEDED", {"pipeline_id": str(newer.pipeline_id)})


@pytest.mark.parametrize(
    ("scope", "payload"),
    [
        (OF_A_UNIT, {}),
        (Scope(TENANT, TRAVEL, TRAIN, YEAR), {}),
        (INGEST, {"source": "agency"}),
    ],
    ids=["unit", "type", "source"],
)
async def test_an_upload_beside_it_replaces_nothing(
    driver: StoreDriver, scope: Scope, payload: Mapping[str, str]
) -> None:
    submitted = await failed(driver)
    await landed(driver, scope, payload={"blob": "blob:sha256:1", **payload})
    assert len((await retried(driver, submitted.pipeline_id)).jobs) == 1


async def test_an_upload_that_failed_too_replaces_nothing(driver: StoreDriver) -> None:
    submitted = await failed(driver)
    await failed(driver)
    assert len((await retried(driver, submitted.pipeline_id)).jobs) == 1


async def test_a_retry_that_only_computed_has_brought_no_upload(driver: StoreDriver) -> None:
    partial = await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE))
    await driver.finish(ingest)
    recalc = await driver.claim("emission_recalc")
    await driver.finish(recalc, JobResult.ERROR, Written.NOTHING)
    newest = await failed(driver)
    await retried(driver, partial.pipeline_id)
    await driver.finish(await driver.claim("emission_recalc"))
    assert [job.failed_job_id for job in (await retried(driver, newest.pipeline_id)).jobs] == [
        newest.job_id
    ]


async def test_a_newer_upload_that_waits_or_runs_is_not_overtaken(driver: StoreDriver) -> None:
    submitted = await failed(driver)
    newer = await driver.submit("csv_ingest", INGEST)
    named = {"pipeline_id": str(newer.pipeline_id)}
    assert (await refused(driver, submitted.pipeline_id)).metadata == named
    claim = await driver.claim("csv_ingest")
    assert (await refused(driver, submitted.pipeline_id)).metadata == named
    _, why = await asyncio.gather(driver.finish(claim), refused(driver, submitted.pipeline_id))
    assert why.metadata == named


async def test_a_newer_upload_that_comes_meanwhile_is_seen_or_comes_behind(
    driver: StoreDriver,
) -> None:
    for _ in range(8):
        submitted = await failed(driver)
        newer, answer = await asyncio.gather(
            driver.submit("csv_ingest", INGEST), driver.retry(submitted.pipeline_id)
        )
        if isinstance(answer, Retried):
            assert newer.disposition is Disposition.QUEUED_BEHIND
            await driver.cancel(answer.pipeline_id)
        else:
            assert answer.metadata == {"pipeline_id": str(newer.pipeline_id)}
        await driver.cancel(newer.pipeline_id)


async def test_the_age_of_a_file_is_that_of_its_first_pipeline(driver: StoreDriver) -> None:
    oldest, newer = await failed(driver), await failed(driver)
    again = await retried(driver, oldest.pipeline_id)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    # The retry of the older file has the greater number, and still brings the older file.
    newer_again = await retried(driver, newer.pipeline_id)
    await driver.finish(await driver.claim("csv_ingest"))
    assert (await pipeline_in_the_way(driver, again.pipeline_id)) == newer_again.pipeline_id
    assert (await pipeline_in_the_way(driver, newer.pipeline_id)) == newer_again.pipeline_id


async def test_an_older_file_that_was_retried_refuses_no_newer_one(driver: StoreDriver) -> None:
    oldest, newer = await failed(driver), await failed(driver)
    again = await retried(driver, oldest.pipeline_id)
    await driver.finish(await driver.claim("csv_ingest"))
    assert await driver.status(again.pipeline_id) == "SUCCESS"
    assert len((await retried(driver, newer.pipeline_id)).jobs) == 1


async def pipeline_in_the_way(driver: StoreDriver, pipeline_id: int) -> int:
    why = await refused(driver, pipeline_id)
    assert why.reason == "SUPERSEDED"
    return int(why.metadata["pipeline_id"])


@pytest.mark.parametrize(("job_type", "scope"), [("csv_ingest", INGEST), ("noop", Scope(TENANT))])
async def test_a_repeat_makes_no_second_pipeline(
    driver: StoreDriver, job_type: str, scope: Scope
) -> None:
    submitted = await failed(driver, job_type, scope)
    request_id = uuid4()
    answers = await asyncio.gather(
        *(retried(driver, submitted.pipeline_id, request_id=request_id) for _ in range(5))
    )
    assert len({answer.pipeline_id for answer in answers}) == 1
    assert sorted(answer.is_replay for answer in answers) == [False, True, True, True, True]
    assert len({answer.jobs for answer in answers}) == 1
    assert len(await driver.claim_all(job_type)) == 1
    other = await refused(driver, submitted.pipeline_id, request_id=request_id, body_digest=b"x")
    assert other.reason == "FIELD_INVALID"


async def test_a_retry_that_is_only_checked_writes_nothing(driver: StoreDriver) -> None:
    submitted = await failed(driver)
    answer = await retried(driver, submitted.pipeline_id, validate_only=True)
    assert answer.pipeline_id == 0
    assert [(j.failed_job_id, j.job_id, j.disposition) for j in answer.jobs] == [
        (submitted.job_id, 0, Disposition.CREATED)
    ]
    assert await driver.claim_all("csv_ingest") == []


async def test_what_succeeded_lives_or_is_anothers_is_not_retried(driver: StoreDriver) -> None:
    good = await landed(driver)
    live = await driver.submit("aggregation", TOTALS)
    bad = await failed(driver)
    for pipeline_id, reason in (
        (good.pipeline_id, "NOTHING_TO_RETRY"),
        (live.pipeline_id, "NOTHING_TO_RETRY"),
        (424242, "PIPELINE_NOT_FOUND"),
    ):
        assert (await refused(driver, pipeline_id)).reason == reason
    other = await refused(driver, bad.pipeline_id, tenant="other")
    assert other.reason == "OTHER_TENANT"


async def test_the_timeline_of_the_failed_pipeline_names_its_retry(driver: StoreDriver) -> None:
    submitted = await failed(driver)
    answer = await retried(driver, submitted.pipeline_id)
    detail = await driver.store.pool.fetchval(
        "SELECT detail FROM scheduler.job_events WHERE pipeline_id = $1 AND event = 'retried'",
        submitted.pipeline_id,
    )
    assert detail == f"pipeline {answer.pipeline_id} runs again what was left undone, by tester"


# What can be brought for planes of 2024: the type of the root, its scope and what it names.
BROUGHT: Mapping[str, tuple[str, Scope, Mapping[str, str]]] = {
    "file": ("csv_ingest", INGEST, {"blob": "blob:sha256:1"}),
    "file of a service": ("csv_ingest", INGEST, {"blob": "blob:sha256:1", "source": "api"}),
    "file of several types": ("routed_ingest", TOTALS, {"blob": "blob:sha256:1"}),
    "service": ("api_ingest", INGEST, {"provider": "api"}),
    "file of a unit": ("csv_ingest", OF_A_UNIT, {"blob": "blob:sha256:1"}),
    "factors": ("factor_ingest", INGEST, {"blob": "blob:sha256:1"}),
    "factors of several types": ("routed_factor_ingest", TOTALS, {"blob": "blob:sha256:1"}),
    "places": ("reference_ingest", PLACES, {"transport_mode": "plane"}),
    "stations": ("reference_ingest", PLACES, {"transport_mode": "train"}),
    "units": ("unit_sync", Scope(TENANT, year=YEAR), {"blob": "blob:sha256:1"}),
    "units of another year": ("unit_sync", Scope(TENANT, year=YEAR - 1), {}),
    "removed units": ("unit_removal", Scope(TENANT), {}),
    "module computed": ("module_emission_recalc", TOTALS, {}),
}
# Whatever is of a group replaces what others of it have brought.
ALIKE = (
    {"file", "file of several types"},
    {"file of a service", "service"},
    {"file of a unit"},
    {"factors", "factors of several types"},
    {"places"},
    {"stations"},
    {"units", "units of another year", "removed units"},
)
PARTS = {"routed_ingest": "csv_ingest", "routed_factor_ingest": "factor_ingest"}


async def brought(driver: StoreDriver, what: str) -> int:
    """The pipeline that has brought it to its end."""
    job_type, scope, payload = BROUGHT[what]
    submitted = await driver.submit(job_type, scope, payload=payload)
    claim = await driver.claim(job_type)
    part = PARTS.get(job_type)
    if part is not None:
        passed_on = {"blob": "blob:sha256:2"}
        child = ChildRequest(part, part, PLANE, None, None, passed_on)
        assert not isinstance(await driver.chain_all(claim, child), Refused)
    await driver.finish(claim)
    if part is not None:
        await driver.finish(await driver.claim(part))
    return submitted.pipeline_id


@pytest.mark.parametrize("older", BROUGHT)
async def test_nothing_older_comes_back_over_what_is_newer_however_it_came(
    driver: StoreDriver, older: str
) -> None:
    job_type, scope, payload = BROUGHT[older]
    for newer in BROUGHT:
        submitted = await failed(driver, job_type, scope, payload=payload)
        pipeline_id = await brought(driver, newer)
        if any({older, newer} <= group for group in ALIKE):
            in_the_way = await pipeline_in_the_way(driver, submitted.pipeline_id)
            assert in_the_way == pipeline_id, newer
        else:
            answer = await retried(driver, submitted.pipeline_id)
            await driver.cancel(answer.pipeline_id)


async def test_a_part_that_failed_has_replaced_nothing(driver: StoreDriver) -> None:
    older = await failed(driver)
    await driver.submit("routed_ingest", TOTALS)
    claim = await driver.claim("routed_ingest")
    await driver.chain(claim, ("csv_ingest", PLANE), ("csv_ingest", TRAIN))
    await driver.finish(claim)
    for result in (JobResult.ERROR, JobResult.SUCCESS):
        part = await driver.claim("csv_ingest")
        failing = part.row.data_entry_type == PLANE
        await driver.finish(part, JobResult.ERROR if failing else result, Written.NOTHING)
    assert len((await retried(driver, older.pipeline_id)).jobs) == 1


async def test_a_part_of_an_older_file_comes_back_over_no_newer_one(driver: StoreDriver) -> None:
    older = await driver.submit("routed_ingest", TOTALS)
    claim = await driver.claim("routed_ingest")
    await driver.chain(claim, ("csv_ingest", PLANE))
    await driver.finish(claim)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    newer = await brought(driver, "file")
    assert await pipeline_in_the_way(driver, older.pipeline_id) == newer


async def test_no_failed_job_is_left_out_however_many_there_are(driver: StoreDriver) -> None:
    children = 1_001
    submitted = await driver.submit("noop", Scope(TENANT))
    root = await driver.claim("noop")
    names = [ChildRequest(f"{n}", "noop", None, None, None, None) for n in range(children)]
    await driver.chain_all(root, *names)
    await driver.finish(root)
    await driver.cancel(submitted.pipeline_id)
    checked = await retried(driver, submitted.pipeline_id, validate_only=True)
    request_id = uuid4()
    answer = await retried(driver, submitted.pipeline_id, request_id=request_id)
    for found in (checked, answer):
        assert len({job.failed_job_id for job in found.jobs}) == children
    # So many are told once.
    again = await retried(driver, submitted.pipeline_id, request_id=request_id)
    assert (again.pipeline_id, again.jobs) == (answer.pipeline_id, ())
    assert len({job.job_id for job in answer.jobs}) == children
    await driver.cancel(answer.pipeline_id)
