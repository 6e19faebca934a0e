"""Coalesce keys join, exclusive keys queue, in order of submission."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from scheduler_service.jobs.requests import (
    Disposition,
    FinishAnswer,
    Refused,
    ReleaseReason,
    Submission,
)
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.submit.submit_jobs import submit_jobs
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TOTALS,
    TRAIN,
    StoreDriver,
    a_statement_waits,
)


async def test_a_request_joins_its_waiting_duplicate(driver: StoreDriver) -> None:
    first = await driver.submit("emission_recalc", RECALC)
    second = await driver.submit("emission_recalc", RECALC)
    assert second.disposition is Disposition.JOINED
    assert second.job_id == first.job_id
    await driver.finish(await driver.claim("emission_recalc"))
    assert await driver.status(first.pipeline_id) == "SUCCESS"
    assert await driver.status(second.pipeline_id) == "SUCCESS"


async def test_a_request_during_the_duplicates_run_becomes_the_one_successor(
    driver: StoreDriver,
) -> None:
    await driver.submit("emission_recalc", RECALC)
    running = await driver.claim("emission_recalc")
    behind = await driver.submit("emission_recalc", RECALC)
    joined = await driver.submit("emission_recalc", RECALC)
    assert behind.disposition is Disposition.QUEUED_BEHIND
    assert (joined.disposition, joined.job_id) == (Disposition.JOINED, behind.job_id)
    assert await driver.claim_all("emission_recalc") == []
    await driver.finish(running)
    successor = await driver.claim("emission_recalc")
    assert successor.row.job_id == behind.job_id
    await driver.finish(successor)


async def test_a_duplicate_that_waits_stays_next_when_one_batch_ends_its_first_and_asks_again(
    driver: StoreDriver,
) -> None:
    await driver.submit("emission_recalc", RECALC)
    running = await driver.claim("emission_recalc")
    duplicate = await driver.submit("emission_recalc", RECALC)
    await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE))
    _, ended = await driver.finish_jobs([driver.ending(running), driver.ending(ingest)])
    assert isinstance(ended, FinishAnswer)
    assert [(c.disposition, c.job_id) for c in ended.children] == [
        (Disposition.JOINED, duplicate.job_id)
    ]
    assert (await driver.claim("emission_recalc")).row.job_id == duplicate.job_id


async def test_twenty_requests_at_once_make_one_job(driver: StoreDriver) -> None:
    answers = await asyncio.gather(*(driver.submit("emission_recalc", RECALC) for _ in range(20)))
    assert len({a.job_id for a in answers}) == 1
    assert len({a.pipeline_id for a in answers}) == 20
    await driver.finish(await driver.claim("emission_recalc"))
    for answer in answers:
        assert await driver.status(answer.pipeline_id) == "SUCCESS"


async def test_two_uploads_of_a_slot_run_one_after_the_other(driver: StoreDriver) -> None:
    first = await driver.submit("csv_ingest", INGEST)
    second = await driver.submit("csv_ingest", INGEST)
    assert second.disposition is Disposition.QUEUED_BEHIND
    claim = await driver.claim("csv_ingest")
    assert claim.row.job_id == first.job_id
    assert await driver.claim_all("csv_ingest") == []
    await driver.finish(claim)
    assert (await driver.claim("csv_ingest")).row.job_id == second.job_id


async def test_an_older_upload_that_backs_off_keeps_its_place(driver: StoreDriver) -> None:
    first = await driver.submit("csv_ingest", INGEST)
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    assert await driver.release(claim, ReleaseReason.RETRY_LATER, delay_seconds=30)
    assert await driver.claim_all("csv_ingest") == []
    assert await driver.store.promote_due_jobs() == 0
    await driver.pass_time(timedelta(seconds=31))
    assert await driver.store.promote_due_jobs() == 1
    assert (await driver.claim("csv_ingest")).row.job_id == first.job_id


async def test_a_drain_costs_no_attempt_and_a_fault_costs_one(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    assert await driver.release(await driver.claim("csv_ingest"))
    job = await driver.job(submitted.job_id)
    assert (job["attempts"], job["releases"], job["state"]) == (0, 1, "QUEUED")
    await driver.release(
        await driver.claim("csv_ingest"), ReleaseReason.RETRY_LATER, delay_seconds=0
    )
    job = await driver.job(submitted.job_id)
    assert (job["attempts"], job["releases"], job["state"]) == (1, 1, "QUEUED")


async def test_spent_attempts_end_the_job_with_an_error(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    for _ in range(5):
        claim = await driver.claim("csv_ingest")
        await driver.release(claim, ReleaseReason.RETRY_LATER, delay_seconds=0)
    assert await driver.state(submitted.job_id) == "FINISHED ERROR"
    assert await driver.status(submitted.pipeline_id) == "FAILED"
    assert "gave up after 5 attempts" in (await driver.job(submitted.job_id))["message"]


async def test_a_duplicate_that_waits_is_superseded_by_the_job_that_comes_back(
    driver: StoreDriver,
) -> None:
    first = await driver.submit("emission_recalc", RECALC)
    claim = await driver.claim("emission_recalc")
    second = await driver.submit("emission_recalc", RECALC)
    third = await driver.submit("emission_recalc", RECALC)
    assert await driver.release(claim)
    assert await driver.state(second.job_id) == "FINISHED SUPERSEDED"
    again = await driver.claim("emission_recalc")
    assert again.row.job_id == first.job_id
    assert await driver.status(second.pipeline_id) == "LIVE"
    await driver.finish(again, JobResult.WARNING)
    for submitted in (first, second, third):
        pipeline = await driver.pipeline(submitted.pipeline_id)
        assert (pipeline["status"], pipeline["warned_jobs"]) == ("SUCCESS", 1)
        assert pipeline["root_job_id"] == first.job_id


async def test_a_year_must_be_provisioned(driver: StoreDriver) -> None:
    refused = await driver.ask("csv_ingest", replace(INGEST, year=2030))
    assert isinstance(refused, Refused)
    assert refused.reason == "YEAR_NOT_PROVISIONED"


async def test_the_same_request_gives_the_same_answer(driver: StoreDriver) -> None:
    request_id = uuid4()
    first = await driver.submit("csv_ingest", INGEST, request_id=request_id)
    again = await driver.submit("csv_ingest", INGEST, request_id=request_id)
    assert (again.pipeline_id, again.job_id) == (first.pipeline_id, first.job_id)
    assert again.disposition is Disposition.REPLAYED
    other = await driver.ask("csv_ingest", INGEST, request_id=request_id, body_digest=b"other")
    assert isinstance(other, Refused)


async def test_the_same_request_ten_times_at_once_makes_one_pipeline(driver: StoreDriver) -> None:
    request_id = uuid4()
    answers = await asyncio.gather(
        *(driver.submit("csv_ingest", INGEST, request_id=request_id) for _ in range(10))
    )
    assert len({a.pipeline_id for a in answers}) == 1
    assert sum(a.disposition is not Disposition.REPLAYED for a in answers) == 1


@pytest.mark.usefixtures("long_waits")
async def test_two_requests_that_make_a_key_at_once_run_one_after_the_other(
    driver: StoreDriver,
) -> None:
    holds, may_commit = asyncio.Event(), asyncio.Event()

    async def make_slowly(tx: UnitOfWork) -> None:
        await submit_jobs(tx, [upload()], joiners_max=1)
        await tx.save()
        holds.set()
        await may_commit.wait()

    def upload() -> Submission:
        return Submission(uuid4(), b"body", "csv_ingest", INGEST, {"blob": "x"}, 5, "tester")

    making = asyncio.create_task(driver.store._units.run(make_slowly))
    await holds.wait()
    second = asyncio.create_task(driver.submit("csv_ingest", INGEST))
    await a_statement_waits(driver)
    may_commit.set()
    await making
    assert (await second).disposition is Disposition.QUEUED_BEHIND


# How the worker that is to divide a file loses it, before another one divides it.
async def _left_at_once(driver: StoreDriver, claim: Claimed) -> None:
    await driver.release(claim)


async def _expired(driver: StoreDriver, _: Claimed) -> None:
    assert await driver.let_leases_expire() == 1


async def _recovered(driver: StoreDriver, claim: Claimed) -> None:
    assert not isinstance(await driver.recover(claim.row.job_id, force=True), Refused)
    await driver.release(claim)


@pytest.mark.parametrize(
    ("divides", "part", "lost"),
    [
        ("routed_ingest", "csv_ingest", _left_at_once),
        ("routed_ingest", "csv_ingest", _expired),
        ("routed_ingest", "csv_ingest", _recovered),
        ("routed_factor_ingest", "factor_ingest", _expired),
    ],
)
async def test_the_parts_of_a_file_come_before_what_was_submitted_after_the_file(
    driver: StoreDriver,
    divides: str,
    part: str,
    lost: Callable[[StoreDriver, Claimed], Awaitable[None]],
) -> None:
    before = await driver.submit(part, INGEST)
    claims = [await driver.claim(divides, part)]
    file = await driver.submit(divides, TOTALS)
    after = [await driver.submit(part, replace(INGEST, data_entry_type=t)) for t in (TRAIN, PLANE)]
    assert await driver.claim_all(divides, part) == []
    await driver.finish(claims[0])
    await lost(driver, await driver.claim(divides, part))
    claims.append(await driver.claim(divides, part))
    await driver.chain(claims[1], (part, PLANE), (part, TRAIN))
    parts = (await driver.finish(claims[1])).children
    assert [one.disposition for one in parts] == [Disposition.CREATED, Disposition.QUEUED_BEHIND]
    while found := await driver.claim_all(divides, part):
        claims += found
        for claim in found:
            await driver.finish(claim)
    in_order = [one.job_id for one in (before, file)]
    in_order += [one.job_id for one in parts] + [one.job_id for one in after]
    assert [claim.row.job_id for claim in claims] == in_order
