"""What is old is deleted while the scheduler runs, pipelines now and then only."""

from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.removed import Removed
from scheduler_service.store.retention import remove_pipelines
from scheduler_service.sweeps.retention import LOOKS_PER_REMOVAL, Retention
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

RETENTION = timedelta(days=91)


async def old_pipeline(driver: StoreDriver) -> None:
    """One that nothing needs."""
    await driver.submit("noop", Scope(TENANT))
    await driver.finish(await driver.claim("noop"))
    await driver.pass_time(RETENTION)


async def old_ones(driver: StoreDriver) -> int:
    count = "SELECT count(*) FROM scheduler.pipelines WHERE kind = 'noop'"
    return int(await driver.store.pool.fetchval(count))


async def has_requests(driver: StoreDriver) -> bool:
    found = await driver.store.pool.fetchval("SELECT EXISTS (SELECT FROM scheduler.claim_requests)")
    return bool(found)


async def test_each_look_forgets_and_every_tenth_removes_pipelines(driver: StoreDriver) -> None:
    looks = Retention(driver.store, structlog.get_logger())
    for _ in range(2):
        await old_pipeline(driver)
        assert (await old_ones(driver), await has_requests(driver)) == (1, True)
        await looks.once()
        assert (await old_ones(driver), await has_requests(driver)) == (0, False)
        await old_pipeline(driver)
        for _ in range(LOOKS_PER_REMOVAL - 1):
            await looks.once()
            assert (await old_ones(driver), await has_requests(driver)) == (1, False)
        await looks.once()
        assert await old_ones(driver) == 0
        for _ in range(LOOKS_PER_REMOVAL - 1):
            await looks.once()


async def test_a_removal_that_has_not_seen_all_goes_on_with_the_next_look(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Retention(driver.store, structlog.get_logger())
    await old_pipeline(driver)
    monkeypatch.setattr(remove_pipelines, "LOOK_SECONDS_MAX", -1.0)
    for _ in range(2):
        await looks.once()
        assert await old_ones(driver) == 1
    monkeypatch.undo()
    await looks.once()
    assert await old_ones(driver) == 0


async def test_pipelines_are_removed_while_nothing_else_can_be_forgotten(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> Removed:
        raise KeyError("of_a_newer_release")

    await old_pipeline(driver)
    monkeypatch.setattr(driver.store, "forget_old", broken)
    looks = Retention(driver.store, structlog.get_logger())
    with capture_logs() as lines:
        await looks.once()
    assert [(line["event"], line["step"]) for line in lines] == [("sweep_failed", "forget_old")]
    assert await old_ones(driver) == 0
