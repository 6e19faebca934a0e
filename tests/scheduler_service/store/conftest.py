"""A store on an own database; after each test the invariants must hold."""

from collections.abc import AsyncIterator

import pytest

from carbonline.postgres.errors import is_locked
from scheduler_service.store.core import gather, run_units
from scheduler_service.store.store import Store
from tests.carbonline.postgres.left_behind import left_behind
from tests.scheduler_service.store.invariants import broken_invariants
from tests.scheduler_service.store.store_driver import StoreDriver
from tests.scheduler_service.store.verify.history import history_of

LEASE_SECONDS = 45.0


@pytest.fixture
async def store(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """An open store. Batches of a driver that fail are not divided: items that are asked again
    alone would hide what is wrong with the batch.
    """
    opened = await Store.open(database_url, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0)
    monkeypatch.setattr(gather, "fails_everything", lambda error: not is_locked(error))
    try:
        yield opened
        assert await broken_invariants(opened.pool) == {}
        # Of jobs that stand still nothing is said: tests let time pass and no sweep run.
        assert [one for one in await history_of(opened) if one.invariant != 3] == []
        assert await opened.backstop() == 0
        pools = opened.pools
        assert await left_behind(pools.leases, pools.calls, pools.reads, pools.sweeps) == []
    finally:
        await opened.close()


@pytest.fixture
async def driver(store: Store) -> StoreDriver:
    """Drives the store as one worker; the year is provisioned."""
    made = StoreDriver(store)
    await made.provision()
    return made


@pytest.fixture
def long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submits and Finishes wait for a lock until they get it, or until PostgreSQL finds a deadlock.
    Else they would give up and be asked again.
    """
    monkeypatch.setattr(run_units, "SHARED_LOCK_SECONDS", 10.0)
    monkeypatch.setattr(run_units, "SHARED_STATEMENT_SECONDS", 10.0)
