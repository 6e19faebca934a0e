"""A second scheduler, and schedules whose clock stands still."""

from collections.abc import AsyncIterator

import pytest

from scheduler_service.store.store import Store
from tests.scheduler_service.store.conftest import LEASE_SECONDS
from tests.scheduler_service.store.schedule.schedule_driver import NOON, ScheduleDriver
from tests.scheduler_service.store.store_driver import StoreDriver


@pytest.fixture
async def schedules(driver: StoreDriver) -> ScheduleDriver:
    """It is noon."""
    made = ScheduleDriver(driver)
    await made.set_clock(NOON)
    return made


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Store]:
    """The store of a second scheduler."""
    opened = await Store.open(database_url, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0)
    try:
        yield opened
    finally:
        await opened.close()
