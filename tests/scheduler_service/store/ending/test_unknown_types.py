"""A job of a type that this release does not know: operators end it, and nobody guesses."""

from collections.abc import Awaitable, Callable

import pytest

from scheduler_service.jobs.requests import (
    Cancelled,
    FinishOutcome,
    Recovered,
    ReleaseReason,
    Submitted,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.jobs.stored_types import JobTypeUnknown
from scheduler_service.store.core.claimed import Claimed
from tests.scheduler_service.store.store_driver import INGEST, TENANT, TOTALS, StoreDriver

ELSEWHERE = "of_another_release"


async def renamed(driver: StoreDriver, job_id: int, job_type: str = ELSEWHERE) -> None:
    """What another release has stored."""
    await driver.store.pool.execute(
        "UPDATE scheduler.jobs SET job_type = $2 WHERE job_id = $1", job_id, job_type
    )


async def running(driver: StoreDriver) -> tuple[Submitted, Claimed]:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await renamed(driver, submitted.job_id)
    return submitted, claim


async def test_it_is_cancelled_while_it_waits_and_its_key_moves_on(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    behind = await driver.submit("csv_ingest", INGEST)
    await renamed(driver, submitted.job_id)
    assert isinstance(await driver.cancel(submitted.pipeline_id), Cancelled)
    assert (await driver.claim("csv_ingest")).row.job_id == behind.job_id


@pytest.mark.parametrize("ends", ["released", "finished", "expired"])
async def test_it_is_cancelled_while_it_runs_and_its_drain_ends(
    driver: StoreDriver, ends: str
) -> None:
    submitted, claim = await running(driver)
    behind = await driver.submit("csv_ingest", INGEST)
    await driver.cancel(submitted.pipeline_id)
    assert await driver.claim_all("csv_ingest") == []
    match ends:
        case "released":
            assert await driver.release(claim, ReleaseReason.CANCELLED, Written.UNKNOWN)
        case "finished":
            answer = await driver.finish(claim, JobResult.ERROR, Written.UNKNOWN)
            assert answer.outcome is FinishOutcome.STALE
        case _:
            await driver.let_leases_expire()
    assert (await driver.claim("csv_ingest")).row.job_id == behind.job_id
    # A release that knows its type can see that nothing has recomputed its data.
    assert (await driver.job(submitted.job_id))["in_doubt_token"] == claim.claim_token


@pytest.mark.parametrize("force", [False, True])
async def test_it_is_recovered_and_runs_again_once_its_type_is_known(
    driver: StoreDriver, *, force: bool
) -> None:
    submitted = await driver.submit("routed_ingest", TOTALS)
    claim = await driver.claim("routed_ingest")
    await renamed(driver, submitted.job_id)
    if not force:
        # No sweep of this release takes it back.
        assert await driver.let_leases_expire() == 0
        assert await driver.state(submitted.job_id) == "RUNNING"
    assert isinstance(await driver.recover(submitted.job_id, force=force), Recovered)
    if force:
        await driver.release(claim, written=Written.UNKNOWN)
    assert await driver.state(submitted.job_id) == "QUEUED"
    await renamed(driver, submitted.job_id, "routed_ingest")
    again = await driver.claim("routed_ingest")
    assert again.row.job_id == submitted.job_id
    await driver.finish(again)


async def finish(driver: StoreDriver, claim: Claimed) -> object:
    return await driver.finish(claim)


async def release(driver: StoreDriver, claim: Claimed) -> object:
    return await driver.release(claim)


async def chain(driver: StoreDriver, claim: Claimed) -> object:
    return await driver.chain(claim, ("emission_recalc", 20))


@pytest.mark.parametrize("tell", [finish, release, chain])
async def test_what_its_worker_tells_waits_for_a_release_that_knows_it(
    driver: StoreDriver, tell: Callable[[StoreDriver, Claimed], Awaitable[object]]
) -> None:
    submitted, claim = await running(driver)
    with pytest.raises(JobTypeUnknown):
        await tell(driver, claim)
    assert await driver.state(submitted.job_id) == "RUNNING"
    await renamed(driver, submitted.job_id, "csv_ingest")
    await tell(driver, claim)


async def test_an_unknown_child_is_made_by_a_release_that_knows_it(driver: StoreDriver) -> None:
    submitted = await driver.submit("noop", Scope(TENANT))
    claim = await driver.claim("noop")
    await driver.chain(claim, ("noop", None))
    await driver.store.pool.execute(
        f"UPDATE scheduler.staged_children SET job_type = '{ELSEWHERE}'"
    )
    with pytest.raises(JobTypeUnknown):
        await driver.finish(claim)
    assert await driver.state(submitted.job_id) == "RUNNING"
    await driver.store.pool.execute("UPDATE scheduler.staged_children SET job_type = 'noop'")
    await driver.finish(claim)
    await driver.finish(await driver.claim("noop"))


async def test_it_is_not_made_again_by_a_release_that_does_not_know_it(
    driver: StoreDriver,
) -> None:
    submitted, claim = await running(driver)
    await renamed(driver, submitted.job_id, "csv_ingest")
    await driver.finish(claim, JobResult.ERROR, Written.NOTHING)
    await renamed(driver, submitted.job_id)
    with pytest.raises(JobTypeUnknown):
        await driver.retry(submitted.pipeline_id)
