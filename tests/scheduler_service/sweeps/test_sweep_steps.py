"""Each step of a sweep runs whatever another step did."""

from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from scheduler_service.jobs.requests import ReleaseReason
from scheduler_service.jobs.scope import Scope
from scheduler_service.sweeps import loop
from scheduler_service.sweeps.loop import Sweep
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

NOOP = Scope(TENANT)
HIDE = "ALTER TABLE scheduler.{0} RENAME TO hidden"
SHOW = "ALTER TABLE scheduler.hidden RENAME TO {0}"


@pytest.fixture
def sweep(driver: StoreDriver) -> Sweep:
    """Of the driver's store."""
    return Sweep(driver.store, structlog.get_logger())


async def waiting_for_its_time(driver: StoreDriver) -> int:
    """A job that has waited long enough."""
    submitted = await driver.submit("noop", NOOP)
    claim = await driver.claim("noop")
    await driver.release(claim, ReleaseReason.RETRY_LATER, delay_seconds=1)
    await driver.pass_time(timedelta(seconds=2))
    return submitted.job_id


async def test_jobs_are_promoted_while_no_claim_can_be_taken_back(
    driver: StoreDriver, sweep: Sweep
) -> None:
    job_id = await waiting_for_its_time(driver)
    await driver.store.pool.execute(HIDE.format("sweep_runs"))
    await sweep.once()
    await driver.store.pool.execute(SHOW.format("sweep_runs"))
    assert await driver.state(job_id) == "QUEUED"


async def test_a_step_that_fails_is_logged_once_until_it_succeeds(
    driver: StoreDriver, sweep: Sweep
) -> None:
    for _ in range(2):
        await driver.store.pool.execute(HIDE.format("sweep_runs"))
        with capture_logs() as lines:
            for _ in range(3):
                await sweep.once()
        await driver.store.pool.execute(SHOW.format("sweep_runs"))
        assert [(line["event"], line["step"]) for line in lines] == [
            ("sweep_failed", "expire_claims")
        ]
        await sweep.once()


async def test_a_defect_in_one_step_ends_no_other(
    driver: StoreDriver, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> int:
        raise KeyError("of_a_newer_release")

    monkeypatch.setattr(driver.store, "expire_claims", broken)
    job_id = await waiting_for_its_time(driver)
    await sweep.once()
    assert await driver.state(job_id) == "QUEUED"


async def test_the_next_sweep_comes_when_the_next_thing_is_due(
    driver: StoreDriver, sweep: Sweep
) -> None:
    assert await sweep.pause_seconds() > 0.7 * driver.store.sweep_seconds
    await driver.submit("noop", NOOP)
    claim = await driver.claim("noop")
    await driver.pass_time(timedelta(seconds=driver.store.lease_seconds - 1))
    assert 0.1 < await sweep.pause_seconds() <= 1.1
    # What the sweep failed at does not make it come again and again.
    await driver.pass_time(timedelta(seconds=2))
    assert await sweep.pause_seconds() > 0.7 * driver.store.sweep_seconds
    await driver.finish(claim)
    await driver.submit("noop", NOOP)
    await driver.release(await driver.claim("noop"), ReleaseReason.RETRY_LATER, delay_seconds=1)
    assert 0.1 < await sweep.pause_seconds() <= 1.1


async def test_what_becomes_due_behind_its_step_waits_for_no_period(
    driver: StoreDriver, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of jobs that came back over a second, the last waited for five."""
    ticking = iter([0.0, 3.0, 0.0, 1.0])
    monkeypatch.setattr(loop, "monotonic", lambda: next(ticking))
    await driver.submit("noop", NOOP)
    await driver.release(await driver.claim("noop"), ReleaseReason.RETRY_LATER, delay_seconds=5)
    await sweep.once()
    # The sweep took three seconds, and the job's time came in the last two.
    await driver.pass_time(timedelta(seconds=7))
    assert await sweep.pause_seconds() == pytest.approx(driver.store.sweep_seconds / 50)
    await sweep.once()
    # That one has queued the job.
    assert await sweep.pause_seconds() > 0.7 * driver.store.sweep_seconds
