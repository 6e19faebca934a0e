"""An upgrade waits for what others have open, makes nobody wait for long, and says who it was."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError

from carbonline.migrations import run
from carbonline.migrations.run import AnotherSessionIsInTheWay, downgrade, is_current, upgrade

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass($1)"
# Longer than the lock_timeout of these tests.
PATIENT = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%'
    AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '300 ms'
"""
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
LEFTOVER = "CREATE INDEX CONCURRENTLY jobs_of_a_pipeline ON scheduler.jobs (pipeline_id)"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ever, in a fraction of the time."""
    monkeypatch.setattr(
        run, "SESSION", "SET lock_timeout = '100ms'; SET statement_timeout = '1min'"
    )
    monkeypatch.setattr(run, "PAUSE_SECONDS", 0.05)


@pytest.fixture
async def other(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another session of the database."""
    settings = {"application_name": "a report"}
    connection = await asyncpg.connect(url, server_settings=settings)
    yield connection
    await connection.close()


@pytest.fixture
async def observer(url: str) -> AsyncIterator[asyncpg.Connection]:
    """One that looks on, without a transaction."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def seen(observer: asyncpg.Connection, query: str, *arguments: str) -> None:
    """Return once the query counts something."""
    async with asyncio.timeout(20):
        while True:
            if await observer.fetchval(query, *arguments):
                return
            await asyncio.sleep(0.01)


def attempts(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], asyncio.Event]:
    """Events that are set when so many attempts have begun."""
    begun: dict[int, asyncio.Event] = {}
    original, count = run._migrate, 0

    async def counting(*arguments: object) -> None:
        nonlocal count
        count += 1
        if count in begun:
            begun[count].set()
        await original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "_migrate", counting)
    return lambda number: begun.setdefault(number, asyncio.Event())


async def test_a_transaction_that_has_read_jobs_and_ends_is_waited_for(
    url: str, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(url, "scheduler", "0001")
    third_attempt = attempts(monkeypatch)(3)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(20), other.transaction():
        await other.fetch("SELECT FROM scheduler.jobs")
        tasks.create_task(upgrade(url, "scheduler"))
        await third_attempt.wait()
    assert await is_current(url, "scheduler")


async def test_one_that_stays_is_named_in_the_end(
    url: str, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LOCK_WAIT_SECONDS_MAX", 0.1)
    await upgrade(url, "scheduler", "0001")
    async with other.transaction():
        await other.fetch("SELECT FROM scheduler.jobs")
        session = re.escape(f"session {other.get_server_pid()} of ")
        named = session + r"\w+ \(a report\) has had a transaction open for \d+ s; end it"
        with pytest.raises(AnotherSessionIsInTheWay, match=named):
            await upgrade(url, "scheduler")
    await upgrade(url, "scheduler")
    assert await is_current(url, "scheduler")


async def test_what_repeating_does_not_mend_is_not_repeated(
    url: str, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LOCK_WAIT_SECONDS_MAX", 0.1)
    await other.execute("CREATE SCHEMA scheduler; CREATE TABLE scheduler.jobs (job_id bigint)")
    with pytest.raises(ProgrammingError, match=r"relation .jobs. already exists"):
        await upgrade(url, "scheduler")


@pytest.mark.parametrize("back", [False, True], ids=["up", "down"])
async def test_a_transaction_that_locks_pipelines_finds_jobs_free(
    url: str, other: asyncpg.Connection, observer: asyncpg.Connection, back: bool
) -> None:
    await upgrade(url, "scheduler", "0002" if back else "0001")
    step = downgrade(url, "scheduler", "0001") if back else upgrade(url, "scheduler", "0002")
    async with asyncio.TaskGroup() as tasks, other.transaction():
        await other.fetch("SELECT FROM scheduler.pipelines FOR UPDATE")
        tasks.create_task(step)
        await seen(observer, WAITING, "scheduler.pipelines")
        await other.execute("LOCK TABLE scheduler.jobs IN ROW EXCLUSIVE MODE NOWAIT")
        await other.execute("LOCK TABLE scheduler.claim_requests IN ROW EXCLUSIVE MODE NOWAIT")


async def test_a_transaction_that_locks_claim_requests_finds_jobs_free(
    url: str, other: asyncpg.Connection, observer: asyncpg.Connection
) -> None:
    await upgrade(url, "scheduler", "0001")
    async with asyncio.TaskGroup() as tasks, other.transaction():
        await other.execute("LOCK TABLE scheduler.claim_requests IN ROW EXCLUSIVE MODE")
        tasks.create_task(upgrade(url, "scheduler", "0002"))
        await seen(observer, WAITING, "scheduler.claim_requests")
        await other.execute("LOCK TABLE scheduler.jobs IN ROW EXCLUSIVE MODE NOWAIT")


async def test_an_index_waits_longer_for_an_old_snapshot_than_a_table_for_its_lock(
    url: str,
    other: asyncpg.Connection,
    observer: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await upgrade(url, "scheduler", "0002")
    monkeypatch.setattr(run, "LOCK_WAIT_SECONDS_MAX", 0.0)
    async with asyncio.TaskGroup() as tasks, other.transaction(isolation="repeatable_read"):
        await other.fetchval("SELECT 1")
        tasks.create_task(upgrade(url, "scheduler"))
        await seen(observer, PATIENT)
    assert await is_current(url, "scheduler")


async def test_what_an_interrupted_index_has_left_is_made_anew(
    url: str, other: asyncpg.Connection, observer: asyncpg.Connection
) -> None:
    await upgrade(url, "scheduler", "0002")
    async with other.transaction(isolation="repeatable_read"):
        await other.fetchval("SELECT 1")
        await observer.execute("SET lock_timeout = '50ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await observer.execute(LEFTOVER)
    assert await observer.fetchval(INVALID) == 1
    await upgrade(url, "scheduler")
    assert await observer.fetchval(INVALID) == 0
    assert await is_current(url, "scheduler")
