"""A COMMIT whose answer is lost: unknown at first, then settled by the fence's row."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from carbonline.postgres.errors import DatabaseUnavailable
from tests.worker_service.ledger.ledger_driver import ENTRIES, TENANT, LedgerDriver, an_hour
from tests.worker_service.ledger.losing_relay import AtCommit, LosingRelay, losing_relay
from worker_service.ledger.errors import CommitUnknown, FenceRefused
from worker_service.ledger.fences import Publication, publication, was_committed
from worker_service.ledger.pool import Connection, Ledger, open_ledger

INSERT = "INSERT INTO carbon.units VALUES ('local', 'a', 'a', 'A', 0)"
UNITS = "SELECT unit FROM carbon.units"


@asynccontextmanager
async def relayed(database_url: str, folder: Path) -> AsyncIterator[tuple[Ledger, LosingRelay]]:
    """A second ledger, whose commits can be lost."""
    async with losing_relay(database_url, folder) as (relay, url):
        # A long lease, so that PostgreSQL does not end a session whose COMMIT is held back.
        ledger = await open_ledger(url, application_name="relayed", lease_seconds=60)
        try:
            yield ledger, relay
        finally:
            await ledger.close()


def wanted() -> Publication:
    return Publication(TENANT, [ENTRIES], 10, an_hour)


async def insert(conn: Connection) -> None:
    await conn.execute(INSERT)


async def write(
    ledger: Ledger, one: Publication, body: Callable[[Connection], Awaitable[None]] = insert
) -> None:
    async with publication(ledger, one) as conn:
        await body(conn)


@pytest.mark.parametrize(
    ("fate", "stands"), [(AtCommit.LOSE_REQUEST, False), (AtCommit.LOSE_ANSWER, True)]
)
async def test_a_commit_without_an_answer_is_unknown_until_the_fence_is_asked(
    driver: LedgerDriver, database_url: str, tmp_path: Path, fate: AtCommit, stands: bool
) -> None:
    one = wanted()
    async with relayed(database_url, tmp_path) as (ledger, relay):
        relay.at_commit = fate
        with pytest.raises(CommitUnknown):
            await write(ledger, one)
        assert one.commit_sent
        assert await was_committed(driver.ledger, one) is stands
    assert len(await driver.rows(UNITS)) == int(stands)


@pytest.mark.parametrize("scope_is_new", [True, False])
async def test_asking_waits_for_a_commit_that_is_still_on_its_way(
    driver: LedgerDriver, database_url: str, tmp_path: Path, scope_is_new: bool
) -> None:
    if not scope_is_new:
        async with driver.publication(1):
            pass
    one = wanted()
    async with relayed(database_url, tmp_path) as (ledger, relay):
        relay.at_commit = AtCommit.ARRIVE_LATE
        with pytest.raises(CommitUnknown):
            await write(ledger, one)
        asking = asyncio.create_task(was_committed(driver.ledger, one))
        await driver.somebody_waits()
        assert not asking.done()
        relay.let_arrive.set()
        assert await asking
    assert await driver.rows(UNITS) == [("a",)]


async def test_after_a_newer_claim_nobody_can_tell_any_more(
    driver: LedgerDriver, database_url: str, tmp_path: Path
) -> None:
    one = wanted()
    async with relayed(database_url, tmp_path) as (ledger, relay):
        relay.at_commit = AtCommit.LOSE_ANSWER
        with pytest.raises(CommitUnknown):
            await write(ledger, one)
    async with driver.publication(20):
        pass
    with pytest.raises(FenceRefused, match="a newer claim has written"):
        await was_committed(driver.ledger, one)


async def test_a_connection_that_breaks_after_the_answer_changes_nothing(
    driver: LedgerDriver, database_url: str, tmp_path: Path
) -> None:
    async with relayed(database_url, tmp_path) as (ledger, relay):
        relay.at_commit = AtCommit.BREAK_AFTER_ANSWER
        await write(ledger, wanted())
    assert await driver.rows(UNITS) == [("a",)]


async def test_a_connection_that_breaks_before_the_commit_means_that_nothing_was_written(
    driver: LedgerDriver,
) -> None:
    async def breaks(conn: Connection) -> None:
        await conn.execute(INSERT)
        pid = await conn.fetchval("SELECT pg_backend_pid()")
        await driver.rows("SELECT pg_terminate_backend($1)", pid)
        await conn.execute("SELECT 1")

    one = wanted()
    with pytest.raises(DatabaseUnavailable):
        await write(driver.ledger, one, breaks)
    assert not one.commit_sent
    assert await was_committed(driver.ledger, one) is False
    assert await driver.rows(UNITS) == []
