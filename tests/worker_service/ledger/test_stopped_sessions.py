"""A process that was stopped inside its transaction keeps nobody from the fence for long."""

import time

import asyncpg
import pytest

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from tests.worker_service.ledger.ledger_driver import ENTRIES, TENANT, LedgerDriver, an_hour
from worker_service.ledger.fences import (
    LOCK_FENCES,
    MAKE_FENCES,
    TAKE_FENCES,
    Publication,
    publication,
)
from worker_service.ledger.pool import (
    SessionLimits,
    open_ledger,
    session_settings,
)
from worker_service.mechanics.claimed_job import MARGIN_SHARE

LEASE_SECONDS = 2.0


async def test_a_stopped_session_is_ended_before_its_successor_gives_up_waiting(
    database_url: str, driver: LedgerDriver
) -> None:
    settings = session_settings("stopped", SessionLimits.of_lease(LEASE_SECONDS))
    stopped = await asyncpg.connect(database_url, server_settings=settings)
    successor = await open_ledger(
        database_url, application_name="successor", lease_seconds=LEASE_SECONDS
    )
    try:
        await stopped.execute("BEGIN")
        for statement in (MAKE_FENCES, LOCK_FENCES):
            await stopped.execute(statement, TENANT, [ENTRIES])
        await stopped.execute(TAKE_FENCES, TENANT, [ENTRIES], 10)
        began_at = time.monotonic()
        async with publication(successor, Publication(TENANT, [ENTRIES], 20, an_hour)):
            assert time.monotonic() - began_at < LEASE_SECONDS
        with pytest.raises(ANY_DATABASE_ERROR):
            await stopped.execute("COMMIT")
    finally:
        stopped.terminate()
        await successor.close()
    assert await driver.fence() == (20, 0)


def test_limits_free_locks_in_an_order_that_ends_within_the_lease() -> None:
    limits = SessionLimits.of_lease(45.0)
    stop_at = 45.0 * (1 - 2 * MARGIN_SHARE)
    assert 0 < limits.idle_seconds < limits.lock_seconds < limits.statement_seconds < stop_at


async def test_a_reader_may_compute_for_longer_between_its_statements(driver: LedgerDriver) -> None:
    show = "SHOW idle_in_transaction_session_timeout"
    async with driver.ledger.snapshot() as snapshot:
        pid = await snapshot.fetchval("SELECT pg_backend_pid()")
        assert await snapshot.fetchval(show) == "3500ms"
    async with driver.ledger.session() as conn:
        assert await conn.fetchval("SELECT pg_backend_pid()") == pid
        assert await conn.fetchval(show) == "1500ms"


async def test_everything_read_in_a_snapshot_is_of_one_moment(driver: LedgerDriver) -> None:
    async with driver.ledger.snapshot() as snapshot:
        assert await snapshot.fetch("SELECT FROM carbon.entry_sets") == []
        await driver.upload(10, ["0828"])
        assert await snapshot.fetch("SELECT FROM carbon.entry_sets") == []
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await snapshot.execute("DELETE FROM carbon.entry_sets")


async def test_sessions_follow_the_lease_that_the_scheduler_gives(database_url: str) -> None:
    ledger = await open_ledger(database_url, application_name="follows", lease_seconds=45.0)
    try:
        await ledger.follow_lease(LEASE_SECONDS)
        async with ledger.session() as conn:
            idle = await conn.fetchval("SHOW idle_in_transaction_session_timeout")
            statement = await conn.fetchval("SHOW statement_timeout")
        assert (idle, statement) == ("600ms", "1400ms")
        assert ledger.limits == SessionLimits.of_lease(LEASE_SECONDS)
    finally:
        await ledger.close()
