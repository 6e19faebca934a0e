"""A claim that is released because its worker is not ready costs its job nothing."""

from datetime import timedelta

from scheduler_service.jobs.requests import ReleaseReason, Written
from scheduler_service.jobs.retry import NOT_READY_SECONDS, RELEASES_MAX
from tests.scheduler_service.store.store_driver import INGEST, StoreDriver

TRIES = RELEASES_MAX + 5


async def test_a_job_outlives_any_number_of_workers_that_are_not_ready(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    for _ in range(TRIES):
        claim = await driver.claim("csv_ingest")
        assert claim.row.attempts == 1
        assert await driver.release(claim, ReleaseReason.NOT_READY)
        assert await driver.claim_all("csv_ingest") == []
        await driver.pass_time(timedelta(seconds=NOT_READY_SECONDS))
        await driver.store.promote_due_jobs()
    job = await driver.store.pool.fetchrow(
        "SELECT attempts, releases, expiries FROM scheduler.jobs WHERE job_id = $1",
        submitted.job_id,
    )
    assert job is not None
    assert tuple(job) == (0, 0, 0)


async def test_what_such_a_claim_may_have_written_is_in_doubt_all_the_same(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.release(claim, ReleaseReason.NOT_READY, Written.UNKNOWN)
    assert await driver.store.pool.fetchval(
        "SELECT in_doubt_token FROM scheduler.jobs WHERE job_id = $1", submitted.job_id
    )
