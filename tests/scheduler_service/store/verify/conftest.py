"""A store whose tables a test may break."""

from collections.abc import AsyncIterator

import pytest

from scheduler_service.store.store import Store
from tests.scheduler_service.store.conftest import LEASE_SECONDS
from tests.scheduler_service.store.store_driver import StoreDriver


@pytest.fixture
async def unsound(database_url: str) -> AsyncIterator[StoreDriver]:
    """Drives a store of which nobody demands the invariants afterwards."""
    store = await Store.open(database_url, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0)
    try:
        yield StoreDriver(store)
    finally:
        await store.close()
