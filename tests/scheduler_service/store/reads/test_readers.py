"""Reads have few connections of their own, and a bound on how long each takes."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from scheduler_service.store.core.pool import open_pool
from scheduler_service.store.reads import readers
from scheduler_service.store.reads.readers import Readers, ReadTookTooLong, TooManyReads

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
