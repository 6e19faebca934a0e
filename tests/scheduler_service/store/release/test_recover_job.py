"""RecoverJob takes a job from its claim, at once or behind a drain, and loses nothing."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from scheduler_service.jobs.requests import (
    ClaimDirective,
    FinishOutcome,
    Recovered,
    Refused,
    ReleaseReason,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.release import recover_job
from scheduler_service.store.release.company import mark_company
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    StoreDriver,
)


async def refused(driver: StoreDriver, job_id: int, **how: object) -> str:
    answer = await driver.recover(job_id, **how)  # type: ignore[arg-type]
    assert isinstance(answer, Refused), answer
    return answer.reason


async def recovered(driver: StoreDriver, job_id: int, **how: object) -> Recovered:
    answer = await driver.recover(job_id, **how)  # type: ignore[arg-type]
    assert isinstance(answer, Recovered), answer
    return answer


async def events_of(driver: StoreDriver, job_id: int) -> list[str]:
    rows = await driver.store.pool.fetch(
        "SELECT event FROM scheduler.job_events WHERE job_id = $1 ORDER BY event_id", job_id
    )
    return [row["event"] for row in rows]


async def lease_runs_out(driver: StoreDriver) -> None:
    """Without a sweep that takes the job back."""
    await driver.pass_time(timedelta(seconds=driver.store.lease_seconds + 1))


@pytest.mark.parametrize("comes_back", ["recovered", "forced", "expired", "released"])
async def test_an_upload_that_comes_back_runs_before_a_newer_one(
    driver: StoreDriver, comes_back: str
) -> None:
    older = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    newer = await driver.submit("csv_ingest", INGEST)
    match comes_back:
        case "recovered":
            await lease_runs_out(driver)
            await recovered(driver, older.job_id)
        case "forced":
            await recovered(driver, older.job_id, force=True)
            await driver.release(claim)
        case "expired":
            assert await driver.let_leases_expire() == 1
        case _:
            await driver.release(claim, ReleaseReason.RETRY_LATER, delay_seconds=1.0)
            await driver.pass_time(timedelta(seconds=2))
            await driver.store.promote_due_jobs()
    for job_id in (older.job_id, newer.job_id):
        claim = await driver.claim("csv_ingest")
        assert claim.row.job_id == job_id
        await driver.finish(claim)


async def test_a_sweep_meanwhile_leaves_the_workers_other_claims_to_the_next_one(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has locked its own claim, and marks the other's: they must not wait for each other."""
    first, last = [(await driver.submit("noop", Scope(TENANT))).job_id for _ in range(2)]
    await driver.claim_all("noop")
    for _ in range(3):
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=driver.store.lease_seconds / 3 + 1))

    async def mark_after_a_sweep(*given: Any) -> dict[UUID, bool]:
        assert await driver.store.expire_claims() == 0
        return await mark_company(*given)

    monkeypatch.setattr(recover_job, "mark_company", mark_after_a_sweep)
    await recovered(driver, first)
    assert await driver.store.pool.fetchval("SELECT count(*) FROM scheduler.set_asides") == 0
    assert await driver.store.expire_claims() == 1
    assert (await driver.job(last))["attempts"] == 0


async def test_an_expired_claim_loses_its_job_before_any_sweep(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await lease_runs_out(driver)
    answer = await recovered(driver, submitted.job_id)
    assert (answer.claim_token, answer.drain_seconds) == (claim.claim_token, 0.0)
    assert await driver.state(submitted.job_id) == "QUEUED"
    assert (await driver.beat(claim)).directive is ClaimDirective.LOST
    assert (await driver.finish(claim)).outcome is FinishOutcome.STALE
    job = await driver.job(submitted.job_id)
    # What it may have written is in doubt, as after every expiry.
    assert (job["expiries"], job["in_doubt_token"]) == (1, claim.claim_token)
    assert await events_of(driver, submitted.job_id) == ["in_doubt", "recovered"]


async def test_a_live_claim_keeps_its_job_unless_it_is_forced(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    assert await refused(driver, submitted.job_id) == "CLAIM_LIVE"
    assert (await driver.beat(claim)).directive is ClaimDirective.CONTINUE
    answer = await recovered(driver, submitted.job_id, force=True)
    assert answer.claim_token == claim.claim_token
    assert 0 < answer.drain_seconds <= driver.store.lease_seconds


async def test_a_hung_handler_drains_before_another_worker_runs_its_job(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    behind = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await recovered(driver, submitted.job_id, force=True)
    assert await driver.state(submitted.job_id) == "NOT_STARTED"
    assert await driver.claim_all("csv_ingest") == []
    assert (await driver.beat(claim)).directive is ClaimDirective.CANCEL
    assert await driver.release(claim, ReleaseReason.CANCELLED, Written.NOTHING)
    # Still first of its key.
    assert await driver.state(submitted.job_id) == "QUEUED"
    assert await driver.state(behind.job_id) == "NOT_STARTED"
    again = await driver.claim("csv_ingest")
    await driver.finish(again)
    assert await driver.state(submitted.job_id) == "FINISHED SUCCESS"
    # Nothing was written and nothing of the first claim's children is left.
    assert await driver.jobs_of("emission_recalc") == []


async def test_a_drain_that_nobody_ends_is_over_with_its_lease(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await recovered(driver, submitted.job_id, force=True)
    assert await driver.let_leases_expire() == 1
    assert await driver.state(submitted.job_id) == "QUEUED"
    job = await driver.job(submitted.job_id)
    assert job["in_doubt_token"] == claim.claim_token
    # It runs again, and its own end releases what follows: nothing needs a repair before.
    assert await driver.jobs_of("emission_recalc") == []
    await driver.finish(await driver.claim("csv_ingest"))
    assert len(await driver.jobs_of("emission_recalc")) == 1


async def test_a_finish_of_a_claim_that_drains_is_stale_and_ends_the_drain(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await recovered(driver, submitted.job_id, force=True)
    assert (await driver.finish(claim)).outcome is FinishOutcome.STALE
    assert await driver.state(submitted.job_id) == "QUEUED"
    again = await driver.claim("csv_ingest")
    assert (await driver.job(submitted.job_id))["in_doubt_token"] == claim.claim_token
    await driver.finish(again)
    recalc = await driver.claim("emission_recalc")
    assert recalc.close_through == {"entries/2/2024": claim.claim_token}


async def test_a_recovered_job_that_is_cancelled_while_it_waits_is_repaired(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await recovered(driver, submitted.job_id, force=True)
    await driver.cancel(submitted.pipeline_id)
    await driver.finish(claim)
    (repair,) = await driver.store.pool.fetch(
        "SELECT repair_of FROM scheduler.pipelines WHERE kind = 'repair'"
    )
    assert repair["repair_of"] == submitted.pipeline_id


@pytest.mark.parametrize(("job_type", "scope"), [("csv_ingest", INGEST), ("noop", Scope(TENANT))])
async def test_a_drain_gives_the_sweep_nothing_to_do(
    driver: StoreDriver, job_type: str, scope: Scope
) -> None:
    submitted = await driver.submit(job_type, scope)
    await driver.claim(job_type)
    await recovered(driver, submitted.job_id, force=True)
    due = await driver.store.seconds_to_next_due()
    assert due is None or due > driver.store.sweep_seconds
    assert await driver.store.promote_due_jobs() == 0
    await driver.let_leases_expire()
    await driver.store.promote_due_jobs()
    assert await driver.store.seconds_to_next_due() is None
    await driver.claim(job_type)


async def test_a_recovered_job_has_all_its_attempts_again(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    attempts_max = (await driver.job(submitted.job_id))["attempts_max"]
    for _ in range(attempts_max - 1):
        await driver.claim("csv_ingest")
        await driver.let_leases_expire()
    await driver.claim("csv_ingest")
    await lease_runs_out(driver)
    await recovered(driver, submitted.job_id)
    assert (await driver.job(submitted.job_id))["attempts"] == 0
    claim = await driver.claim("csv_ingest")
    assert claim.row.attempts == 1


async def test_a_waiting_duplicate_is_superseded_by_the_job_that_comes_back(
    driver: StoreDriver,
) -> None:
    first = await driver.submit("emission_recalc", RECALC)
    claim = await driver.claim("emission_recalc")
    second = await driver.submit("emission_recalc", RECALC)
    await recovered(driver, first.job_id, force=True)
    assert await driver.state(second.job_id) == "FINISHED SUPERSEDED"
    await driver.release(claim, ReleaseReason.CANCELLED, Written.NOTHING)
    await driver.finish(await driver.claim("emission_recalc"))
    for pipeline_id in (first.pipeline_id, second.pipeline_id):
        assert await driver.status(pipeline_id) == "SUCCESS"


async def test_a_repeat_never_takes_the_job_from_its_next_claim(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    named = {"force": True, "claim_token": claim.claim_token}
    first = await recovered(driver, submitted.job_id, **named)
    assert (await recovered(driver, submitted.job_id, **named)).claim_token == first.claim_token
    await driver.release(claim, ReleaseReason.CANCELLED, Written.NOTHING)
    again = await driver.claim("csv_ingest")
    assert (await recovered(driver, submitted.job_id, **named)).drain_seconds == 0.0
    assert (await driver.beat(again)).directive is ClaimDirective.CONTINUE
    assert await refused(driver, submitted.job_id, force=True, claim_token=1) == (
        "NOTHING_TO_RECOVER"
    )


async def test_what_does_not_run_or_is_anothers_is_not_recovered(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    assert await refused(driver, submitted.job_id) == "NOTHING_TO_RECOVER"
    claim = await driver.claim("csv_ingest")
    assert await refused(driver, submitted.job_id, force=True, tenant="other") == "OTHER_TENANT"
    await driver.finish(claim, JobResult.ERROR, Written.NOTHING)
    assert await refused(driver, submitted.job_id, force=True) == "NOTHING_TO_RECOVER"
    assert await refused(driver, 424242) == "JOB_NOT_FOUND"


async def test_recover_against_finish_is_decided_once(driver: StoreDriver) -> None:
    for _ in range(8):
        submitted = await driver.submit("csv_ingest", INGEST)
        claim = await driver.claim("csv_ingest")
        ended, answer = await asyncio.gather(
            driver.finish(claim), driver.recover(submitted.job_id, force=True)
        )
        assert ended.finished != isinstance(answer, Recovered)
        if not ended.finished:
            await driver.finish(await driver.claim("csv_ingest"))
        assert await driver.state(submitted.job_id) == "FINISHED SUCCESS"
        for recalc in await driver.claim_all("emission_recalc"):
            await driver.finish(recalc)
