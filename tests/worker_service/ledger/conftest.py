"""An open ledger on an own database; after each test its invariants must hold."""

from collections.abc import AsyncIterator

import pytest

from tests.carbonline.postgres.left_behind import left_behind
from tests.worker_service.ledger.invariants import broken_invariants
from tests.worker_service.ledger.ledger_driver import LEASE_SECONDS, LedgerDriver
from worker_service.ledger.pool import Ledger, open_ledger


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Ledger]:
    """As a worker opens it."""
    opened = await open_ledger(
        database_url, application_name="test", lease_seconds=LEASE_SECONDS, jobs_max=4
    )
    try:
        yield opened
        assert await broken_invariants(opened) == {}
        assert await left_behind(opened.pool) == []
    finally:
        await opened.close()


@pytest.fixture
def driver(ledger: Ledger) -> LedgerDriver:
    """Writes to the ledger as claims do."""
    return LedgerDriver(ledger)
