"""Reads have few connections of their own, and a bound on how long each takes."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from scheduler_service.store.core.pool import Pools, open_pool
from scheduler_service.store.reads import readers
from scheduler_service.store.reads.readers import Readers, ReadTookTooLong, TooManyReads
from scheduler_service.store.store import Store

CONNECTIONS = 2
READ_SECONDS = 0.2
PATIENCE_SECONDS = 20.0


@pytest.fixture
async def few(database_url: str) -> AsyncIterator[Readers]:
    pool = await open_pool(database_url, "reads", CONNECTIONS, READ_SECONDS)
    try:
        yield Readers(pool)
    finally:
        await pool.close()


async def test_a_read_that_takes_too_long_is_ended_and_the_next_one_is_not(few: Readers) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(CONNECTIONS + 1):
            with pytest.raises(ReadTookTooLong):
                async with few.snapshot() as conn:
                    await conn.execute("SELECT pg_sleep(600)")
        async with few.snapshot() as conn:
            assert await conn.fetchval("SELECT 1") == 1


async def test_what_the_scheduler_reads_by_itself_fails_with_the_drivers_errors(
    database_url: str,
) -> None:
    pool = await open_pool(database_url, "reads", CONNECTIONS, READ_SECONDS)
    store = Store(Pools(pool, pool, pool, pool), lease_seconds=45.0, sweep_seconds=5.0)
    locker = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), locker.transaction():
            await locker.execute("LOCK TABLE scheduler.pipelines IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(asyncpg.QueryCanceledError) as raised:
                await store.read_views({1: 0})
            # A watch that is told READ_TOO_LONG could ask for nothing smaller.
            assert not isinstance(raised.value, ReadTookTooLong)
            with pytest.raises(ReadTookTooLong):
                await store.read_pipeline(1, "local", jobs_max=1)
    finally:
        await locker.close()
        await store.close()


async def test_who_waits_too_long_for_a_connection_is_told_so_and_holds_up_nobody(
    few: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "WAIT_SECONDS", 0.05)
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with few.connection(), few.connection():
            for _ in range(CONNECTIONS + 1):
                with pytest.raises(TooManyReads):
                    async with few.connection():
                        raise AssertionError("there was a third connection")
        async with few.connection() as first, few.connection() as second:
            assert await first.fetchval("SELECT 1") == await second.fetchval("SELECT 1")


async def test_a_snapshot_shows_one_moment_and_writes_nothing(few: Readers) -> None:
    async with few.snapshot() as conn:
        began = await conn.fetchval("SELECT transaction_timestamp()")
        assert await conn.fetchval("SELECT transaction_timestamp()") == began
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.execute("DELETE FROM scheduler.workers")
