"""A session goes from use to use as it is: nothing resets it, and nothing is left in it."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

from carbonline.postgres.pool import Pool, open_pool
from tests.carbonline.postgres.left_behind import left_behind

LAST = "SELECT 'the last statement of its use'"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Of one session, so that the next use gets that of the one before."""
    opened = await open_pool(
        database_url,
        {"application_name": "pool"},
        connections_max=1,
        connect_seconds=5.0,
        command_seconds=5.0,
    )
    try:
        yield opened
    finally:
        await opened.close()


async def number_of_session(pool: Pool) -> int:
    async with pool.acquire() as session:
        found: int = await session.fetchval("SELECT pg_backend_pid()")
    return found


async def test_a_session_that_comes_back_is_not_asked_for_anything(
    pool: Pool, database_url: str
) -> None:
    async with pool.acquire() as session:
        number = await session.fetchval("SELECT pg_backend_pid()")
        await session.execute(LAST)
    beside = await asyncpg.connect(database_url)
    try:
        of_number = "SELECT query FROM pg_stat_activity WHERE pid = $1"
        assert await beside.fetchval(of_number, number) == LAST
    finally:
        await beside.close()
    assert await number_of_session(pool) == number


async def test_a_session_that_comes_back_in_a_transaction_is_thrown_away_and_said(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    async with pool.acquire() as session:
        number = await session.fetchval("SELECT pg_backend_pid()")
        await session.execute("BEGIN; SELECT pg_advisory_xact_lock(1)")
    assert await number_of_session(pool) != number
    [line] = [one for one in caplog.records if one.name == "carbonline.postgres.pool"]
    assert line.levelno == logging.WARNING
    assert line.getMessage() == "session_thrown_away"


async def test_a_use_that_is_cancelled_in_its_transaction_leaves_nothing(pool: Pool) -> None:
    entered = asyncio.Event()

    async def use() -> None:
        async with pool.acquire() as session:
            await session.execute("BEGIN; SET LOCAL work_mem = '1MB'")
            entered.set()
            await session.execute("SELECT pg_sleep(60)")

    task = asyncio.create_task(use())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with pool.acquire() as session:
        assert not session.is_in_transaction()
        async with session.transaction():
            assert await session.fetchval("SHOW work_mem") != "1MB"


@pytest.mark.parametrize(
    ("statement", "trace"),
    [
        ("SET work_mem = '1MB'", "setting work_mem"),
        ("SELECT set_config('work_mem', '1MB', false)", "setting work_mem"),
        ("SELECT pg_advisory_lock(7)", "advisory lock"),
        ("LISTEN somebody", "listens to somebody"),
        ("CREATE TEMPORARY TABLE kept ()", "temporary table kept"),
        ("PREPARE kept AS SELECT 1", "statement kept"),
        ("BEGIN; DECLARE kept CURSOR WITH HOLD FOR SELECT 1; COMMIT", "cursor kept"),
    ],
)
async def test_tests_of_stores_find_what_a_use_leaves_behind(
    pool: Pool, statement: str, trace: str
) -> None:
    assert await left_behind(pool) == []
    async with pool.acquire() as session:
        await session.execute(statement)
    assert await left_behind(pool) == [trace]
